// SPDX-License-Identifier: Apache-2.0

import type { DeviceApi } from "@berth/core/device/device-api";
import { absent, known, unreadable, valueOf } from "@berth/core/device/evidence";
import type { Reading } from "@berth/core/device/evidence";
import { parseTypeId } from "@berth/core/device/mdev-type";
import type { MdevType, MigrationAttributes, TypeId } from "@berth/core/device/mdev-type";
import { parseCreatableVgpuTypes, parseCurrentVgpuType } from "@berth/core/sysfs/vgpu-types";
import type { CreatableVgpuType } from "@berth/core/sysfs/vgpu-types";
import { readNvidiaSettings } from "./nvidia-settings.ts";
import type { NvidiaSettings } from "./nvidia-settings.ts";
import { readAttribute } from "./read-attribute.ts";
import { listNames } from "./read-directory.ts";
import { compare, evidenceOf } from "./scan.ts";
import type { Scan } from "./scan.ts";

/** What a function's `nvidia/` folder shows (NVIDIA's vendor VFIO framework, kernel 6.8 and later). */
export interface VendorVfio extends NvidiaSettings {
  readonly currentType: Reading<TypeId>;
  /** Sorted by id: what the function can be set to, and what it is set to. */
  readonly types: readonly MdevType[];
}

/** Reads a function's `nvidia/` folder; undefined where it has none that is of this framework. */
export function readVendorVfio(scan: Scan, path: string): VendorVfio | undefined {
  const folder = `${path}/nvidia`;
  const names = listNames(scan, folder);
  if (!names.includes("creatable_vgpu_types") && !names.includes("current_vgpu_type")) return undefined;
  const creatable = readAttribute(
    scan,
    { path: `${folder}/creatable_vgpu_types`, isRequired: true },
    parseCreatableVgpuTypes,
  );
  const current = readAttribute(scan, { path: `${folder}/current_vgpu_type`, isRequired: true }, parseCurrentVgpuType);
  return {
    currentType: makeCurrentType(current),
    types: makeTypes(creatable, current),
    ...readNvidiaSettings(scan, path),
  };
}

/** sysfs has no `device_api` in this framework: a VF with a vGPU type is a vfio-pci device by construction. */
export function inferDeviceApi(scan: Scan, path: string): Reading<DeviceApi> {
  return known("vfio-pci", evidenceOf(scan, path, { source: "inferred", text: "a PCI function handed over by VFIO" }));
}

/** Attributes of something that publishes nothing about migrating. */
export function absentAttributes(evidence: Reading<unknown>["evidence"]): MigrationAttributes {
  const nothing = absent(evidence);
  return {
    softwareVersion: nothing,
    compatibleTypes: nothing,
    compatible: {},
    dynamicResources: nothing,
    migrationVersion: nothing,
  };
}

function makeCurrentType(current: Reading<number>): Reading<TypeId> {
  if (current.kind !== "known") return current;
  return current.value === 0 ? absent(current.evidence) : known(makeTypeId(current.value), current.evidence);
}

function makeTypes(creatable: Reading<readonly CreatableVgpuType[]>, current: Reading<number>): readonly MdevType[] {
  const types = (valueOf(creatable) ?? []).map((type) =>
    makeType(type.id, known(type.name, creatable.evidence), current),
  );
  const set = valueOf(current) ?? 0;
  const isListed = types.some((type) => type.id === makeTypeId(set));
  if (set !== 0 && !isListed) types.push(makeType(set, absent(creatable.evidence), current));
  return types.sort((a, b) => compare(a.id, b.id));
}

function makeType(id: number, name: Reading<string>, current: Reading<number>): MdevType {
  const { evidence } = name;
  return {
    id: makeTypeId(id),
    driverPrefix: "nvidia",
    name,
    deviceApi: known("vfio-pci", { ...evidence, source: "inferred" }),
    availableInstances: countInstances(evidence, current),
    description: absent(evidence),
    maxAggregation: known(1, { ...evidence, source: "inferred" }),
    attributes: absentAttributes(evidence),
  };
}

/** A function holds one vGPU: a type that it lists fits once while it is set to none, and then no more. */
function countInstances(listed: Reading<string>["evidence"], current: Reading<number>): Reading<number> {
  if (current.kind === "unreadable") return unreadable(current.why, current.evidence);
  if (current.kind === "absent") return absent(current.evidence);
  return current.value === 0
    ? known(1, { ...listed, source: "inferred" })
    : known(0, { ...current.evidence, source: "inferred" });
}

function makeTypeId(id: number): TypeId {
  return parseTypeId(`nvidia-${id}`);
}
