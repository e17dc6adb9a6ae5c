// SPDX-License-Identifier: Apache-2.0

import { combineFindings } from "./combine-findings.ts";
import { decideVerdict } from "./decide-verdict.ts";
import { checkPacks } from "./packs/check-packs.ts";
import type { Pair, Rule } from "./pair.ts";
import { checkAggregation } from "./rules/aggregation.ts";
import { checkApIdentity } from "./rules/ap-identity.ts";
import { checkCcwIdentity } from "./rules/ccw-identity.ts";
import { checkCompatibleFields } from "./rules/compatible-fields.ts";
import { checkDeviceApi } from "./rules/device-api.ts";
import { checkDynamicResources } from "./rules/dynamic-resources.ts";
import { checkMigrationVersion } from "./rules/migration-version.ts";
import { checkSoftwareVersion } from "./rules/software-version.ts";
import { checkType } from "./rules/type.ts";
import { checkVendorDriver } from "./rules/vendor-driver.ts";
import { findings, type Findings, type PackUse, type Verdict } from "./verdict.ts";

/** R1 to R9 in order, and what each one reads: a vendor's own strings are shown to that vendor's rules only (D13). */
const RULES: readonly { readonly check: Rule; readonly reads: "plain facts" | "vendor strings" }[] = [
  { check: checkDeviceApi, reads: "plain facts" },
  { check: checkType, reads: "plain facts" },
  { check: checkSoftwareVersion, reads: "vendor strings" },
  { check: checkCompatibleFields, reads: "vendor strings" },
  { check: checkDynamicResources, reads: "vendor strings" },
  { check: checkAggregation, reads: "plain facts" },
  { check: checkMigrationVersion, reads: "vendor strings" },
  { check: checkApIdentity, reads: "plain facts" },
  { check: checkCcwIdentity, reads: "plain facts" },
];

/**
 * Decides whether the state of the source may be loaded into the destination: R1 to R9 and the driver packs (R11).
 *
 * The relation has a direction. Every failing rule is reported, not only the first, and so is every fact that is missing.
 * Whether the platform can migrate at all (R10) is a question of its own, `checkPlatform`; so is room.
 */
export function checkMigration(pair: Pair): Verdict {
  const vendor = checkVendorDriver(pair);
  const oneVendor = vendor.reasons.length === 0 && vendor.missing.length === 0;
  const rules = RULES.filter(({ reads }) => oneVendor || reads === "plain facts");
  const asked = oneVendor ? checkPacks(pair) : NOT_ASKED;
  const found = combineFindings([vendor, ...rules.map(({ check }) => check(pair)), asked.findings]);
  return decideVerdict(found, asked.packs, "R4");
}

const NOT_ASKED: { readonly findings: Findings; readonly packs: readonly PackUse[] } = {
  findings: findings({
    notes: [
      {
        rule: "R1",
        code: "vendor_rules_skipped",
        text: "the two ends are not known to speak for one vendor driver, so R4, R5, R6, R8 and R11 were not asked",
      },
    ],
  }),
  packs: [],
};
