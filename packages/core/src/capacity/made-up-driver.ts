// SPDX-License-Identifier: Apache-2.0

import { madeUpHost, physicalFunction } from "./made-up-host.ts";
import type { MadeUpDevice } from "./made-up-host.ts";
import type { PoolStatement } from "./pool-statement.ts";
import type { HostSnapshot } from "../device/host-snapshot.ts";

/** The truth about a pool, which a host shows only through `available_instances`: for tests of what is promised. */
export interface MadeUpDriver {
  readonly kind: "counters" | "one-size" | "slots";
  /** Counter totals, `framebuffer` or `slots`. */
  readonly total: Readonly<Record<string, number>>;
  readonly types: Readonly<Record<string, MadeUpModel>>;
  readonly parents: readonly string[];
  /** Parents are VFs, which hold one device each. */
  readonly isVirtual: boolean;
}

/** What one device of a type takes. */
export interface MadeUpModel {
  readonly amounts: Readonly<Record<string, number>>;
  readonly starts?: readonly number[];
}

/** A device of the truth; slots pools give it a slot. */
export interface RealDevice {
  readonly id: string;
  readonly type: string;
  readonly parent: string;
  readonly count: number;
  readonly slot?: number;
}

/** Creates a device as the driver would, at a slot where one is named: the devices afterwards, or undefined (refused). */
export function createDevice(
  driver: MadeUpDriver,
  devices: readonly RealDevice[],
  device: RealDevice,
): readonly RealDevice[] | undefined {
  const model = driver.types[device.type];
  if (model === undefined || !driver.parents.includes(device.parent)) return undefined;
  if (driver.isVirtual && devices.some((other) => other.parent === device.parent)) return undefined;
  if (driver.kind === "slots") return placeDevice(driver, devices, device);
  for (const [counter, total] of Object.entries(driver.total)) {
    const used = [...devices, device].reduce(
      (sum, one) => sum + one.count * (driver.types[one.type]?.amounts[counter] ?? 0),
      0,
    );
    if (used > total) return undefined;
  }
  const sizes = new Set([...devices, device].map((one) => driver.types[one.type]?.amounts["framebuffer"]));
  if (driver.kind === "one-size" && sizes.size > 1) return undefined;
  return [...devices, device];
}

/** How many devices of a type a parent can still create, found by creating them. */
export function countAvailable(
  driver: MadeUpDriver,
  devices: readonly RealDevice[],
  at: { readonly type: string; readonly parent: string },
): number {
  let now = devices;
  for (let count = 0; ; count += 1) {
    const next = createDevice(driver, now, { ...at, id: `probe ${count}`, count: 1 });
    if (next === undefined) return count;
    now = next;
  }
}

/** How many devices fit at most, whichever parents take them. */
export function countFitting(
  driver: MadeUpDriver,
  devices: readonly RealDevice[],
  ask: { readonly type: string; readonly parents: readonly string[]; readonly count: number },
): number {
  let now = devices;
  for (let count = 0; ; count += 1) {
    const created = ask.parents.map((parent) =>
      createDevice(driver, now, { id: `probe ${count}`, type: ask.type, parent, count: ask.count }),
    );
    const next = created.find((candidate) => candidate !== undefined);
    if (next === undefined) return count;
    now = next;
  }
}

/** What a host with this driver shows: some of its devices, perhaps without their slots, and numbers that count all. */
export function showHost(driver: MadeUpDriver, shown: readonly RealDevice[], all: readonly RealDevice[]): HostSnapshot {
  const owner = driver.isVirtual ? { owner: physicalFunction("0000:08:00.0") } : {};
  return madeUpHost({
    parents: driver.parents.map((id) => ({
      id,
      ...owner,
      types: Object.fromEntries(
        Object.keys(driver.types).map((type) => [
          type,
          { available: countAvailable(driver, all, { type, parent: id }), description: describeType(driver, type) },
        ]),
      ),
    })),
    devices: shown.map(({ id, type, parent, count, slot }): MadeUpDevice => {
      return { id, type, parent, count, ...(slot === undefined ? {} : { slot }) };
    }),
  });
}

/** What a true pack would state about the driver; totals left out where asked for, so that they must be derived. */
export function statementOf(driver: MadeUpDriver, totals: "stated" | "derived"): PoolStatement {
  const entries = Object.entries(driver.types);
  const isStated = totals === "stated" || driver.kind === "slots";
  return {
    pack: "true",
    owner: "physical-function-or-parent",
    law: driver.kind,
    ...(isStated ? { totals: driver.total } : {}),
    ...(driver.isVirtual ? { perVirtualFunction: 1 } : {}),
    consumption: Object.fromEntries(entries.map(([type, { amounts }]) => [type, amounts])),
    placements: Object.fromEntries(
      entries.map(([type, { amounts, starts = [] }]) => [type, { length: amounts["slots"] ?? 1, starts }]),
    ),
  };
}

function placeDevice(
  driver: MadeUpDriver,
  devices: readonly RealDevice[],
  device: RealDevice,
): readonly RealDevice[] | undefined {
  if (device.count !== 1) return undefined;
  const taken = new Set(
    devices.flatMap((other) => spanOf(other.slot ?? 0, driver.types[other.type]?.amounts["slots"] ?? 1)),
  );
  const { amounts, starts = [] } = driver.types[device.type] ?? { amounts: {} };
  const length = amounts["slots"] ?? 1;
  const open = starts.filter(
    (start) =>
      start + length <= (driver.total["slots"] ?? 0) && spanOf(start, length).every((slot) => !taken.has(slot)),
  );
  const slot = device.slot === undefined ? Math.min(...open) : open.find((start) => start === device.slot);
  return slot === undefined || slot === Infinity ? undefined : [...devices, { ...device, slot }];
}

function spanOf(start: number, length: number): readonly number[] {
  return Array.from({ length }, (_, index) => start + index);
}

/** NVIDIA's line for one-size drivers: the product is the total only where the size divides it. */
function describeType(driver: MadeUpDriver, type: string): string {
  const size = driver.types[type]?.amounts["framebuffer"];
  if (size === undefined) return "a made-up type";
  return `framebuffer=${size}M, max_instance=${Math.floor((driver.total["framebuffer"] ?? 0) / size)}`;
}
