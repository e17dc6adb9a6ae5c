// SPDX-License-Identifier: Apache-2.0

import { parsePciAddress } from "../device/address.ts";
import type { ApBus, Apqn } from "../device/ap-matrix.ts";
import { absent, known, unreadable } from "../device/evidence.ts";
import type { Evidence, Reading } from "../device/evidence.ts";
import type { HostSnapshot } from "../device/host-snapshot.ts";
import { parseTypeId } from "../device/mdev-type.ts";
import type { MdevType, MigrationAttributes } from "../device/mdev-type.ts";
import type { ParentDevice, PoolOwner } from "../device/parent-device.ts";
import type { Aggregation, VfioDevice } from "../device/vfio-device.ts";

/** A type of a made-up parent: what `available_instances` and `description` read. */
export interface MadeUpType {
  readonly available?: number | "unreadable";
  readonly description?: string;
  readonly maxAggregation?: number;
}

/** A made-up parent; its own id is the owner unless said otherwise. */
export interface MadeUpParent {
  readonly id: string;
  readonly types: Readonly<Record<string, MadeUpType>>;
  readonly owner?: PoolOwner;
  readonly framework?: "mdev" | "vendor-vfio";
  readonly currentType?: string;
  readonly driver?: string;
}

/** A made-up device. */
export interface MadeUpDevice {
  readonly id: string;
  readonly parent: string;
  readonly type?: string;
  readonly kind?: "mdev" | "vendor-vfio" | "function";
  readonly count?: number | "unreadable";
  readonly slot?: number;
  readonly queues?: readonly Apqn[] | "unreadable";
}

/** What a made-up host consists of. */
export interface MadeUpHost {
  readonly parents: readonly MadeUpParent[];
  readonly devices?: readonly MadeUpDevice[];
  readonly queues?: readonly (Apqn & { readonly driver: string })[];
}

const EVIDENCE: Evidence = { host: "made-up", source: "sysfs", path: "/sys/made-up" };
const NOTHING = absent(EVIDENCE);

/** Builds the snapshot of a host that exists nowhere, for tests of what is decided from one. */
export function madeUpHost(host: MadeUpHost): HostSnapshot {
  return {
    host: "made-up",
    kernel: { release: NOTHING, version: NOTHING },
    os: NOTHING,
    parents: host.parents.map(parentOf),
    devices: (host.devices ?? []).map(deviceOf),
    functions: [],
    modules: [],
    ...(host.queues === undefined ? {} : { apBus: apBusOf(host.queues) }),
    facts: {},
    virtualMachines: [],
    uses: [],
    unseenUsers: [],
    problems: [],
  };
}

/** The owner of VFs: a physical function. */
export function physicalFunction(address: string): PoolOwner {
  return { kind: "physical-function", id: parsePciAddress(address) };
}

function parentOf(parent: MadeUpParent): ParentDevice {
  return {
    id: parent.id,
    framework: parent.framework ?? "mdev",
    path: `/sys/devices/${parent.id}`,
    driver: parent.driver === undefined ? NOTHING : known(parent.driver, EVIDENCE),
    module: NOTHING,
    numaNode: NOTHING,
    iommuGroup: NOTHING,
    poolOwner: parent.owner ?? { kind: "parent", id: parent.id },
    types: Object.entries(parent.types).map(([id, type]) => typeOf(id, type)),
    currentType: parent.currentType === undefined ? NOTHING : known(parseTypeId(parent.currentType), EVIDENCE),
    facts: {},
  };
}

function typeOf(id: string, type: MadeUpType): MdevType {
  return {
    id: parseTypeId(id),
    driverPrefix: id.slice(0, id.indexOf("-")),
    name: NOTHING,
    deviceApi: known("vfio-pci", EVIDENCE),
    availableInstances: readingOf(type.available),
    description: readingOf(type.description),
    maxAggregation: readingOf(type.maxAggregation),
    attributes: noAttributes(),
  };
}

function deviceOf(device: MadeUpDevice): VfioDevice {
  const { queues } = device;
  const count: Reading<Aggregation> =
    device.count === "unreadable"
      ? unreadable("it is half written", EVIDENCE)
      : known({ count: device.count ?? 1, settable: true }, EVIDENCE);
  return {
    kind: device.kind ?? "mdev",
    id: device.id,
    path: `/sys/devices/${device.parent}/${device.id}`,
    parent: device.parent,
    type: device.type === undefined ? NOTHING : known(parseTypeId(device.type), EVIDENCE),
    deviceApi: NOTHING,
    driver: NOTHING,
    iommuGroup: NOTHING,
    aggregation: count,
    dynamicValues: {},
    attributes: noAttributes(),
    features: NOTHING,
    placementId: readingOf(device.slot),
    gpuInstanceId: NOTHING,
    ...(queues === undefined
      ? {}
      : { ap: { matrix: readingOf(queues), guestMatrix: NOTHING, controlDomains: NOTHING, apConfig: NOTHING } }),
    facts: {},
  };
}

function readingOf<T>(value: T | "unreadable" | undefined): Reading<T> {
  if (value === undefined) return NOTHING;
  return value === "unreadable" ? unreadable("it is half written", EVIDENCE) : known(value as T, EVIDENCE);
}

function noAttributes(): MigrationAttributes {
  return {
    softwareVersion: NOTHING,
    compatibleTypes: NOTHING,
    compatible: {},
    dynamicResources: NOTHING,
    migrationVersion: NOTHING,
  };
}

function apBusOf(queues: readonly (Apqn & { readonly driver: string })[]): ApBus {
  return {
    queues: queues.map(({ adapter, domain, driver }) => ({
      apqn: { adapter, domain },
      driver: known(driver, EVIDENCE),
      hardwareType: NOTHING,
      cardType: NOTHING,
      functions: NOTHING,
    })),
    controlDomains: NOTHING,
    maxAdapterId: NOTHING,
    maxDomainId: NOTHING,
    hostAdapters: NOTHING,
    hostDomains: NOTHING,
    features: NOTHING,
  };
}
