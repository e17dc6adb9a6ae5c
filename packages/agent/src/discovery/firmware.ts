// SPDX-License-Identifier: Apache-2.0

import type { PciAddress } from "@berth/core/device/address";
import { known } from "@berth/core/device/evidence";
import type { Reading } from "@berth/core/device/evidence";
import { parseLine } from "@berth/core/sysfs/attribute-text";
import { readAttribute } from "./read-attribute.ts";
import { listNames } from "./read-directory.ts";
import type { Scan } from "./scan.ts";

/** Where drivers of PCI functions show their firmware: a folder of class devices below the function, and its attribute. */
const PLACES: readonly (readonly [folder: string, attribute: string])[] = [
  ["infiniband", "fw_ver"],
  ["nvme", "firmware_rev"],
];

const NVIDIA_INFORMATION_MAX = 16_384;

/** What has been asked for: the function itself, and its PF where it is a VF. */
export interface FirmwareSubject {
  readonly path: string;
  /** Names in the function's folder. */
  readonly names: ReadonlySet<string>;
  /** The function that the vendor's driver runs: the PF of a VF. */
  readonly owner: PciAddress;
}

/**
 * The fact `firmware` of a PCI function, where the kernel shows it: `fw_ver` below `infiniband` (mlx5 and others),
 * `firmware_rev` below `nvme`, `GPU Firmware` in /proc/driver/nvidia. Nothing where it does not.
 */
export function readFirmwareFact(scan: Scan, subject: FirmwareSubject): Readonly<Record<string, Reading<string>>> {
  for (const [folder, attribute] of PLACES) {
    if (!subject.names.has(folder)) continue;
    for (const name of listNames(scan, `${subject.path}/${folder}`)) {
      const read = readAttribute(scan, `${subject.path}/${folder}/${name}/${attribute}`, (raw) => parseFirmware(raw));
      if (read.kind !== "absent") return { firmware: read };
    }
  }
  const path = `/proc/driver/nvidia/gpus/${subject.owner}/information`;
  const read = readAttribute(scan, { path, maxBytes: NVIDIA_INFORMATION_MAX }, parseNvidiaFirmware);
  if (read.kind === "absent") return {};
  const text = read.kind === "known" ? `GPU Firmware: ${read.value}` : undefined;
  return {
    firmware: read.kind === "known" && text !== undefined ? known(read.value, { ...read.evidence, text }) : read,
  };
}

function parseFirmware(raw: string): string | undefined {
  const text = parseLine(raw, "firmware").trim();
  return text === "" ? undefined : text;
}

/** `N/A` is what the driver prints for a GPU that runs without GSP firmware. */
function parseNvidiaFirmware(raw: string): string | undefined {
  const version = /^GPU Firmware:[ \t]*([!-~]+(?: [!-~]+)*)[ \t]*$/m.exec(raw)?.[1];
  return version === "N/A" ? undefined : version;
}
