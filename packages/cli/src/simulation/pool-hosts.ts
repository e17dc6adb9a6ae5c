// SPDX-License-Identifier: Apache-2.0

import type { SimulatedHostSpec } from "@berth/simulator/machine/host";
import { makeVmFiles } from "@berth/simulator/machine/vm-files";

/** The only parent of each host. */
export const PARENT = "0000:6a:01.0";
/** The host whose devices are to move. */
export const SOURCE = "source";
/** Units of each of its devices. */
export const SOURCE_UNITS: readonly number[] = [1, 2, 3];

/** The device of the source that takes so many units. */
export function sourceDevice(units: number): string {
  return `50000000-0000-4000-8000-${String(units).padStart(12, "0")}`;
}

/** A host with one accelerator of so many units; the source has its devices from the start. */
export function specOf(name: string, workQueues: number): SimulatedHostSpec {
  const devices = SOURCE_UNITS.map((units) => ({
    parent: PARENT,
    type: "dsa-1dwq",
    uuid: sourceDevice(units),
    attributes: units === 1 ? [] : [["aggregator", String(units)] as const],
  }));
  return {
    name,
    vfioDebugfs: true,
    machines: [
      {
        kind: "dsa",
        address: PARENT,
        numaNode: 0,
        iommuGroup: 41,
        workQueues,
        attributes: {
          softwareVersion: "1.5.0",
          compatible: { pci_ids: ["8086:0b25"] },
          dynamicResources: ["aggregator"],
        },
        migrationFeatures: ["stop-copy", "p2p", "pre-copy", "dirty-tracking"],
      },
    ],
    devices: name === SOURCE ? devices : [],
    files: makeVmFiles([]),
  };
}
