// SPDX-License-Identifier: Apache-2.0

import type { Reading } from "@berth/core/device/evidence";
import { parseAttributeText } from "@berth/core/sysfs/attribute-text";
import { parseOptionalNumber } from "@berth/core/sysfs/vgpu-types";
import { readAttribute } from "./read-attribute.ts";
import type { Scan } from "./scan.ts";

/** What NVIDIA's driver shows in the `nvidia/` folder of a vGPU, mdev device and virtual function alike. */
export interface NvidiaSettings {
  readonly placementId: Reading<number>;
  readonly gpuInstanceId: Reading<number>;
  /** Texts that have no field of their own; empty ones are left out. */
  readonly facts: Readonly<Record<string, Reading<string>>>;
}

/** What "no GPU instance" looks like as a number: all bits of 32. */
const NO_INSTANCE = 0xffff_ffff;

/** Reads the settings of a vGPU; `device` is the folder of the mdev device or the function. */
export function readNvidiaSettings(scan: Scan, device: string): NvidiaSettings {
  const folder = `${device}/nvidia`;
  const facts: Record<string, Reading<string>> = {};
  for (const name of ["vgpu_params", "warm_update"]) {
    const fact = readAttribute(scan, `${folder}/${name}`, (raw) => parseAttributeText(raw).trim() || undefined);
    if (fact.kind !== "absent") facts[name] = fact;
  }
  return {
    placementId: readAttribute(scan, `${folder}/placement_id`, parseOptionalNumber),
    gpuInstanceId: readAttribute(scan, `${folder}/gpu_instance_id`, parseInstance),
    facts,
  };
}

function parseInstance(raw: string): number | undefined {
  const instance = parseOptionalNumber(raw);
  return instance === NO_INSTANCE ? undefined : instance;
}
