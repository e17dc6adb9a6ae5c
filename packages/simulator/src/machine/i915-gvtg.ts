// SPDX-License-Identifier: Apache-2.0

import { lineAttribute, refused } from "../tree/node.ts";
import { listFlatAttributes, type FlatAttributes } from "./flat-attributes.ts";
import { listMigrationVersion, type MigrationVersionSpec } from "./gvtg-migration-version.ts";
import { makeNumbers, type Kernel } from "./kernel.ts";
import type { MdevDriver } from "./mdev-driver.ts";

/** An Intel GPU with GVT-g. All of its types share one pool: graphics memory, low and high, and fence registers. */
export interface GvtgSpec {
  /** 4: gen8 (Broadwell); 5: gen9 (Skylake to Comet Lake). */
  readonly generation: 4 | 5;
  /** Size of the aperture in MiB; low graphics memory is what the host leaves of it. 512 where it is left out. */
  readonly apertureMib?: number;
  /** PCI id of the GPU, four hexadecimal digits: part of `migration_version`. */
  readonly pciDevice: string;
  readonly attributes?: FlatAttributes;
  readonly migrationVersion?: MigrationVersionSpec;
}

interface GvtgType {
  readonly lowMib: number;
  readonly highMib: number;
  readonly fences: number;
  readonly weight: number;
  readonly resolution: string;
}

/** Fixed types by the number that ends their name: how many of them a GPU was meant to hold (gvt/vgpu.c). */
const TYPES: readonly (readonly [string, GvtgType])[] = [
  ["8", { lowMib: 64, highMib: 384, fences: 4, weight: 2, resolution: "1024x768" }],
  ["4", { lowMib: 128, highMib: 512, fences: 4, weight: 4, resolution: "1920x1200" }],
  ["2", { lowMib: 256, highMib: 1024, fences: 4, weight: 8, resolution: "1920x1200" }],
  ["1", { lowMib: 512, highMib: 2048, fences: 4, weight: 16, resolution: "1920x1200" }],
];

/** Global graphics address space, fence registers, and what the host keeps of each (gvt/gvt.h). */
const GGTT_MIB = 4096;
const FENCES = 32;
const HOST = { lowMib: 128, highMib: 384, fences: 4 };

/** What a GPU has left, and which of its types it can hold at all. */
interface GvtgPool {
  readonly types: ReadonlyMap<string, GvtgType>;
  room(type: GvtgType): number;
  take(type: GvtgType): void;
  give(type: GvtgType): void;
}

function makePool(generation: 4 | 5, apertureMib: number): GvtgPool {
  let lowMib = apertureMib - HOST.lowMib;
  let highMib = GGTT_MIB - apertureMib - HOST.highMib;
  let fences = FENCES - HOST.fences;
  const move = (type: GvtgType, sign: 1 | -1) => {
    lowMib += sign * type.lowMib;
    highMib += sign * type.highMib;
    fences += sign * type.fences;
  };
  // A type that the aperture cannot hold even once is not offered, nor any larger one.
  const offered = TYPES.filter(([, type]) => type.lowMib <= lowMib);
  return {
    types: new Map(offered.map(([size, type]) => [`GVTg_V${generation}_${size}`, type])),
    room: (type) => Math.floor(Math.min(lowMib / type.lowMib, highMib / type.highMib, fences / type.fences)),
    take: (type) => move(type, -1),
    give: (type) => move(type, 1),
  };
}

/** Makes the driver of one GPU. */
export function makeGvtgDriver(kernel: Kernel, spec: GvtgSpec): MdevDriver {
  const pool = makePool(spec.generation, spec.apertureMib ?? 512);
  const ids = makeNumbers(1);
  const idOf = new Map<string, number>();
  const typeOf = (name: string): GvtgType => {
    const type = pool.types.get(name);
    if (type === undefined) throw new RangeError(`This GPU has no type ${JSON.stringify(name)}`);
    return type;
  };
  const migrationVersion = (type: string) =>
    listMigrationVersion(kernel, { pciDevice: spec.pciDevice, type, version: spec.migrationVersion });
  return {
    busDriver: { name: "intel_vgpu_mdev", module: "kvmgt" },
    deviceApi: "vfio-pci",
    types: [...pool.types.keys()].map((name) => ({ name })),
    available: (name) => pool.room(typeOf(name)),
    describe: (name) => formatDescription(typeOf(name)),
    probe: (device) => {
      if (pool.room(typeOf(device.type)) < 1) return refused("ENOSPC");
      pool.take(typeOf(device.type));
      idOf.set(device.uuid, ids.take());
      return undefined;
    },
    remove: (device) => {
      pool.give(typeOf(device.type));
      ids.give(idOf.get(device.uuid) ?? 0);
      idOf.delete(device.uuid);
    },
    typeAttributes: (name) => [...listFlatAttributes(spec.attributes), ...migrationVersion(name)],
    deviceAttributes: ({ uuid, type }) => [
      { name: "intel_vgpu/vgpu_id", attribute: lineAttribute(() => String(idOf.get(uuid) ?? 0)) },
      ...migrationVersion(type),
    ],
  };
}

/** The text of `description` (gvt/kvmgt.c, intel_vgpu_show_description). */
function formatDescription(type: GvtgType): string {
  return [
    `low_gm_size: ${type.lowMib}MB`,
    `high_gm_size: ${type.highMib}MB`,
    `fence: ${type.fences}`,
    `resolution: ${type.resolution}`,
    `weight: ${type.weight}`,
    "",
  ].join("\n");
}
