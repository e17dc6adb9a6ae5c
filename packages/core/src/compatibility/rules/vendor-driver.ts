// SPDX-License-Identifier: Apache-2.0

import type { MigrationProfile } from "../../device/migration-profile.ts";
import type { Pair } from "../pair.ts";
import { isBlank } from "../same-build.ts";
import { describeGaps, sidesOf } from "../side.ts";
import { findings, type Findings, type Remedy } from "../verdict.ts";

/**
 * R1: source and destination speak for the same vendor driver (seed 000, 001; D13).
 * The driver prefix of the type id says whose strings these are; for a function, that of its declared signature. The
 * rules that read a vendor's own strings are not asked unless this one is content.
 */
export function checkVendorDriver({ source, destination }: Pair): Findings {
  const [left, right] = [source.vendorDriver, destination.vendorDriver];
  const sides = sidesOf(left, right);
  if (left.kind !== "known" || right.kind !== "known" || isBlank(left.value) || isBlank(right.value)) {
    const isNamed = left.kind === "known" && right.kind === "known";
    const text = isNamed ? "the vendor driver has no name" : describeGaps("the vendor driver", left, right);
    const remedy = signatureRemedy([source, destination]);
    return findings({ missing: [{ rule: "R1", code: "vendor_driver_unknown", text, ...sides, ...remedy }] });
  }
  if (left.value === right.value) {
    const text = `both ends speak for vendor driver ${left.value}`;
    return findings({ agreements: [{ rule: "R1", code: "vendor_driver_equal", text, ...sides }] });
  }
  const text = `the source speaks for vendor driver ${left.value}, the destination for ${right.value}`;
  return findings({ reasons: [{ rule: "R1", code: "vendor_driver", text, ...sides }] });
}

/** The remedy where a function takes part that nobody has declared a signature for; nothing otherwise. */
export function signatureRemedy(ends: readonly MigrationProfile[]): { readonly remedy?: Remedy } {
  const undeclared = ends.some((end) => end.framework === "function" && end.type.kind === "absent");
  return undeclared ? { remedy: { kind: "declare", fact: "signature" } } : {};
}
