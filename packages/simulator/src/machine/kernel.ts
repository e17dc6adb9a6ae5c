// SPDX-License-Identifier: Apache-2.0

import { makeTree, type KernelTree } from "../tree/simulated-tree.ts";

/** Numbers handed out lowest first and taken back, as the kernel's ida does. */
export interface Numbers {
  /** The lowest number that is free. */
  take(): number;
  /** Marks a number as used; does nothing if it is. */
  reserve(number: number): void;
  give(number: number): void;
}

/** What all drivers of one simulated machine share. */
export interface Kernel {
  readonly tree: KernelTree;
  /** Adds a line to the kernel log. */
  readonly log: (line: string) => void;
  readonly logLines: readonly string[];
  readonly iommuGroups: Numbers;
  readonly vfioDevices: Numbers;
  /** Whether VFIO debugfs is mounted and built in (CONFIG_VFIO_DEBUGFS, Linux 6.8). */
  readonly hasVfioDebugfs: boolean;
}

/** Makes the kernel of a machine without devices or drivers. */
export function makeKernel(options: { readonly vfioDebugfs: boolean }): Kernel {
  const logLines: string[] = [];
  return {
    tree: makeTree(),
    log: (line) => void logLines.push(line),
    logLines,
    iommuGroups: makeNumbers(0),
    vfioDevices: makeNumbers(0),
    hasVfioDebugfs: options.vfioDebugfs,
  };
}

/** Makes numbers that start at `first`. */
export function makeNumbers(first: number): Numbers {
  const used = new Set<number>();
  return {
    take: () => {
      let number = first;
      while (used.has(number)) number += 1;
      used.add(number);
      return number;
    },
    reserve: (number) => void used.add(number),
    give: (number) => void used.delete(number),
  };
}
