// SPDX-License-Identifier: Apache-2.0

import { parseKernelUint } from "./numbers.ts";

/** A place under a device where the count of an aggregated device may be shown. */
export interface AggregationAttribute {
  /** Relative to the device. `*` stands for one folder of any name, a vendor's attribute group. */
  readonly path: string;
  /** The number read there is the device's count. */
  readonly role: "count";
  /** Whether the proposal lets the count be set by a write to `path`. */
  readonly settable: boolean;
  /** Where the most that can be set is shown. */
  readonly maxPath?: string;
}

/**
 * The names of the count in the proposals on aggregation, in reading order (section 2.4): the first that exists counts.
 * A device that has none of them is made of one unit. None was merged into Linux.
 *
 * In the first draft of generation B, `mdev/aggregated_instances` is read-only and `mdev/aggregation` beside it takes
 * the write and shows the most; `mdev/aggregation` is the count only where it stands alone. Whether a file can be
 * written, its mode decides: `settable` says only that a proposal meant it.
 */
export const AGGREGATION_ATTRIBUTES: readonly AggregationAttribute[] = [
  { path: "mdev/aggregated_instances", role: "count", settable: true, maxPath: "mdev/max_aggregation" },
  { path: "mdev/aggregation", role: "count", settable: true },
  { path: "*/aggregator", role: "count", settable: true },
  { path: "aggregator", role: "count", settable: true },
  { path: "aggregated_instances", role: "count", settable: false },
];

/** What one of the count attributes says. */
export interface AggregationReading {
  /** Units that the device is made of, 1 or more. */
  readonly count: number;
  /** False where the driver says that this device's count cannot change. */
  readonly adjustable: boolean;
}

/**
 * Reads a count, or the most that it could be. `0`, which GVT-g shows for types that it does not aggregate, is a count
 * of 1 that cannot change. Throws SyntaxError or RangeError.
 */
export function parseAggregationCount(raw: string): AggregationReading {
  const count = parseKernelUint(raw, "aggregation");
  return count === 0 ? { count: 1, adjustable: false } : { count, adjustable: true };
}
