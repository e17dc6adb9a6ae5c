// SPDX-License-Identifier: Apache-2.0

import { checkMigration } from "@berth/core/compatibility/check-migration";
import { checkPlatform } from "@berth/core/compatibility/check-platform";
import type { LoadedPack } from "@berth/core/compatibility/packs/pack";
import { CONFIDENCES } from "@berth/core/compatibility/verdict";
import type { ClassRules } from "@berth/core/inventory/equivalence-class";
import { classRulesOf, judgementOf, type Judge, type JudgeContext } from "@berth/core/inventory/judgement";

/** Facts that R10 reads by name, beside those of the other rules and the packs. */
const PLATFORM_FACTS: readonly string[] = [
  "enable_migration",
  "iommu_dirty_tracking",
  "libvirt_version",
  "migration_post_copy",
  "qemu_blocked_reasons",
  "qemu_version",
  "vfio_migration_probe",
];

/**
 * Judges a pair as a search does: by the device pair and, unlike `judgeBy`, by the platform too. A place whose platform
 * is known to work has a better grade than any whose platform is not known; one whose platform cannot is refused.
 */
export function judgeWithPlatform(context: JudgeContext): Judge {
  return (source, destination) => {
    const pair = { source, destination, ...context };
    const verdict = checkMigration(pair);
    if (verdict.kind === "incompatible") return judgementOf(verdict);
    const platform = checkPlatform({ pairs: [pair] });
    if (platform.kind === "incompatible") return judgementOf(platform);
    const judgement = judgementOf(verdict);
    if (judgement.kind !== "compatible" || platform.kind === "compatible") return judgement;
    return { kind: "compatible", grade: judgement.grade + CONFIDENCES.length };
  };
}

/** What `judgeWithPlatform` reads of a profile. */
export function platformClassRules(packs: readonly LoadedPack[]): ClassRules {
  const rules = classRulesOf(packs);
  return { ...rules, factNames: new Set([...(rules.factNames ?? []), ...PLATFORM_FACTS]) };
}
