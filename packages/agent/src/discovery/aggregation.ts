// SPDX-License-Identifier: Apache-2.0

import { known } from "@berth/core/device/evidence";
import type { Reading } from "@berth/core/device/evidence";
import type { Aggregation } from "@berth/core/device/vfio-device";
import { AGGREGATION_ATTRIBUTES, parseAggregationCount } from "@berth/core/sysfs/aggregation";
import type { AggregationReading } from "@berth/core/sysfs/aggregation";
import { findInGroups } from "./dynamic-values.ts";
import { readAttribute } from "./read-attribute.ts";
import { evidenceOf } from "./scan.ts";
import type { Scan } from "./scan.ts";

/**
 * Reads how many units a device is made of: the first of the attributes of section 2.4 that exists. None of them is a
 * count of 1, which the reading marks as inferred.
 */
export function readAggregation(scan: Scan, device: string): Reading<Aggregation> {
  const first = readFirstDraft(scan, device);
  if (first !== undefined) return first;
  for (const { path: pattern, settable, maxPath } of AGGREGATION_ATTRIBUTES) {
    for (const attribute of pattern.startsWith("*/") ? findInGroups(scan, device, pattern.slice(2)) : [pattern]) {
      const read = readCount(scan, `${device}/${attribute}`);
      if (read.kind === "absent") continue;
      if (read.kind === "unreadable") return read;
      const max = maxPath === undefined ? undefined : readCount(scan, `${device}/${maxPath}`);
      const limit = max?.kind === "known" && max.value.adjustable ? { max: max.value.count } : {};
      const { count, adjustable } = read.value;
      return known({ count, attribute, settable: settable && adjustable, ...limit }, read.evidence);
    }
  }
  return known(
    { count: 1, settable: false },
    evidenceOf(scan, device, { source: "inferred", text: "no aggregation attribute" }),
  );
}

/** December 2019: `mdev/aggregation` is written and shows the most, `mdev/aggregated_instances` shows the count. */
function readFirstDraft(scan: Scan, device: string): Reading<Aggregation> | undefined {
  if (scan.tree.resolve(`${device}/mdev/max_aggregation`).kind === "path") return undefined;
  const max = readCount(scan, `${device}/mdev/aggregation`);
  const count = readCount(scan, `${device}/mdev/aggregated_instances`);
  if (max.kind === "absent" || count.kind === "absent") return undefined;
  if (count.kind === "unreadable") return count;
  const limit = max.kind === "known" ? { max: max.value.count } : {};
  const settable = max.kind === "known" && max.value.adjustable;
  return known({ count: count.value.count, attribute: "mdev/aggregation", settable, ...limit }, count.evidence);
}

function readCount(scan: Scan, path: string): Reading<AggregationReading> {
  return readAttribute(scan, { path, source: "interface" }, parseAggregationCount);
}
