// SPDX-License-Identifier: Apache-2.0

import { refused, WRITTEN, type Attribute, type Stored } from "../tree/node.ts";
import { listFlatAttributes, type FlatAttributes } from "./flat-attributes.ts";
import { parseKernelUnsigned } from "./kernel-number.ts";
import type { MdevDriver, MigrationFeature } from "./mdev-driver.ts";

/**
 * A data streaming accelerator as the migration threads of 2020 speak of it: types of one or two dedicated work queues,
 * and a device attribute `aggregator` that makes one device of several units. No merged driver has it.
 */
export interface DsaSpec {
  /** Dedicated work queues of the accelerator, the pool of all its types. 32 where it is left out. */
  readonly workQueues?: number;
  /** Type names to offer; both where it is left out. */
  readonly types?: readonly DsaTypeName[];
  readonly attributes?: FlatAttributes;
  readonly migrationFeatures?: readonly MigrationFeature[];
}

export type DsaTypeName = "1dwq" | "2dwq";

const WORK_QUEUES: Readonly<Record<DsaTypeName, number>> = { "1dwq": 1, "2dwq": 2 };
const PRETTY_NAMES: Readonly<Record<DsaTypeName, string>> = {
  "1dwq": "DSA with one dedicated work queue",
  "2dwq": "DSA with two dedicated work queues",
};

/** Makes the driver of one accelerator. */
export function makeDsaDriver(spec: DsaSpec): MdevDriver {
  const names = spec.types ?? ["1dwq", "2dwq"];
  let free = spec.workQueues ?? 32;
  const units = new Map<string, number>();
  const queuesOf = (type: string): number => {
    const name = names.find((offered) => offered === type);
    if (name === undefined) throw new RangeError(`This accelerator has no type ${JSON.stringify(type)}`);
    return WORK_QUEUES[name];
  };
  /** Sets how many units a device is made of; false where the pool is short. */
  const setUnits = (uuid: string, type: string, count: number): boolean => {
    const needed = (count - (units.get(uuid) ?? 0)) * queuesOf(type);
    if (needed > free) return false;
    free -= needed;
    if (count === 0) units.delete(uuid);
    else units.set(uuid, count);
    return true;
  };
  return {
    busDriver: { name: "dsa_mdev", module: "idxd_mdev" },
    deviceApi: "vfio-pci",
    types: names.map((name) => ({ name, prettyName: PRETTY_NAMES[name] })),
    available: (type) => Math.floor(free / queuesOf(type)),
    describe: (type) => `dedicated work queues: ${queuesOf(type)}\n`,
    probe: (device) => (setUnits(device.uuid, device.type, 1) ? undefined : refused("ENOSPC")),
    remove: (device) => void setUnits(device.uuid, device.type, 0),
    typeAttributes: () => listFlatAttributes(spec.attributes),
    deviceAttributes: ({ uuid, type }) => [
      {
        name: "aggregator",
        attribute: aggregatorAttribute({
          count: () => units.get(uuid) ?? 0,
          set: (count) => setUnits(uuid, type, count),
        }),
      },
    ],
    ...(spec.migrationFeatures === undefined ? {} : { migrationFeatures: spec.migrationFeatures }),
  };
}

/**
 * `aggregator`: how many units of its type a device is made of. What a write may be is GVT-g's rule of April 2020 for
 * `aggregated_instances`: no number, 0 and more than there is all answer EINVAL; the value that stands is a no-op.
 */
function aggregatorAttribute(units: {
  readonly count: () => number;
  readonly set: (count: number) => boolean;
}): Attribute {
  const store = (text: string): Stored => {
    const value = parseKernelUnsigned(text, 64);
    if (typeof value !== "bigint" || value === 0n || value > 0xffffn) return refused("EINVAL");
    if (Number(value) === units.count()) return WRITTEN;
    return units.set(Number(value)) ? WRITTEN : refused("EINVAL");
  };
  return { mode: 0o644, show: () => ({ kind: "text", text: `${units.count()}\n` }), store };
}
