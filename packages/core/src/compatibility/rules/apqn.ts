// SPDX-License-Identifier: Apache-2.0

import type { ApBus, ApQueue, Apqn } from "../../device/ap-matrix.ts";

/** Writes an AP queue number as the kernel does: `01.0005`, hexadecimal. */
export function formatApqn({ adapter, domain }: Apqn): string {
  return `${hex(adapter, 2)}.${hex(domain, 4)}`;
}

/** Writes several, in ascending order. */
export function formatApqns(queues: readonly Apqn[]): string {
  return queues.map(formatApqn).toSorted().join(", ");
}

/** Writes control domains as the kernel does, in ascending order. */
export function formatDomains(domains: readonly number[]): string {
  return domains
    .toSorted((a, b) => a - b)
    .map((domain) => hex(domain, 4))
    .join(", ");
}

/** Whether a number can be that of an adapter or a domain. */
export function isApNumber(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 255;
}

/** The queues of a host by number, as `formatApqn` writes it; a host has thousands, and every one is asked for. */
export function indexQueues(bus: ApBus): ReadonlyMap<string, ApQueue> {
  // Of two with one number the first stands: the constructor lets the last one win.
  return new Map(bus.queues.toReversed().map((queue) => [formatApqn(queue.apqn), queue]));
}

/** Whether two lists name the same queues, in whatever order. */
export function hasSameQueues(left: readonly Apqn[], right: readonly Apqn[]): boolean {
  const [a, b] = [new Set(left.map(formatApqn)), new Set(right.map(formatApqn))];
  return a.size === b.size && [...a].every((queue) => b.has(queue));
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
