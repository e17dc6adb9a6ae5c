// SPDX-License-Identifier: Apache-2.0

import type { MigrationProfile } from "../device/migration-profile.ts";
import { combineFindings } from "./combine-findings.ts";
import { decideVerdict } from "./decide-verdict.ts";
import type { LoadedPack } from "./packs/pack.ts";
import type { Pair } from "./pair.ts";
import { findAbility, type Ability } from "./platform-ability.ts";
import { checkMinima, checkPostCopy, parseSwitch, sideAt, type End } from "./platform-minima.ts";
import { factOf } from "./side.ts";
import { findings, NO_FINDINGS, type Findings, type PackUse, type Remedy, type Side, type Verdict } from "./verdict.ts";

/** The move of one whole VM: one pair for each of its devices. */
export interface PlatformRequest {
  readonly pairs: readonly Pair[];
}

type Able = Extract<Ability, { readonly kind: "able" }>;

/** One end of one device's move, and what its driver can do. */
interface Judged {
  readonly end: End;
  readonly profile: MigrationProfile;
  readonly ability: Ability;
}

const MOVE_COLD: Remedy = { kind: "move-cold" };

/**
 * R10: whether the platform can migrate this VM live at all, as a verdict of its own.
 *
 * Both ends of every device have to be able to migrate, and with more than one device all need P2P; kernel, QEMU and
 * libvirt have minima; post-copy is off; dirty pages are tracked. Everything that is missing is listed at once. A policy
 * that assumes the platform skips the rule, and the verdict says so.
 */
export function checkPlatform({ pairs }: PlatformRequest): Verdict {
  const [first] = pairs;
  if (first === undefined) {
    const text = "the VM has no devices to judge";
    return decideVerdict(findings({ missing: [{ rule: "R10", code: "platform_no_devices", text }] }), [], "R10");
  }
  const ends = pairs.flatMap((pair) => judgeEnds(pair));
  const several = pairs.length > 1;
  const parts = [
    ...ends.map((judged) => reportAbility(judged)),
    ...ends.map((judged) => (several ? reportP2p(judged) : NO_FINDINGS)),
    ...ends.map((judged) => reportDirtyTracking(judged)),
    ...pairs.flatMap((pair) => [checkMinima(pair), checkPostCopy(pair)]),
  ];
  const found = several ? dropRepeats(combineFindings(parts)) : combineFindings(parts);
  const packs = usesOf(
    ends.flatMap(({ ability }) => (ability.kind === "unknown" || !ability.pack ? [] : [ability.pack])),
  );
  return pairs.every(({ policy }) => policy.assumePlatform)
    ? assume(first, found, packs)
    : decideVerdict(found, packs, "R10");
}

/** What R10 would have refused is still told, as notes. */
function assume({ destination }: Pair, found: Findings, packs: readonly PackUse[]): Verdict {
  const text =
    "the platform is not checked: the operator asks to assume that both hosts can migrate this VM (--assume-platform)";
  const evidence = { host: destination.subject.host, source: "declaration", path: "policy: assumePlatform" } as const;
  const skipped = found.reasons.map((reason) => ({
    rule: "R10" as const,
    code: "platform_skipped",
    text: `without --assume-platform: ${reason.text}`,
  }));
  const restsOn = [
    { rule: "R10", code: "platform_assumed", text, confidence: "assumed", destination: { evidence } },
  ] as const;
  return decideVerdict(findings({ restsOn, notes: [...found.notes, ...skipped] }), packs, "R10");
}

function judgeEnds({ source, destination, packs }: Pair): readonly Judged[] {
  return [
    { end: "source", profile: source, ability: findAbility("source", source, packs) },
    { end: "destination", profile: destination, ability: findAbility("destination", destination, packs) },
  ];
}

/** Codes of reasons by who spoke. */
const REFUSALS = {
  qemu: { code: "qemu_blocks_migration" },
  debugfs: { code: "migration_unsupported" },
  probe: { code: "migration_unsupported" },
  pack: { code: "migration_unsupported" },
} as const;

function reportAbility({ end, ability }: Judged): Findings {
  const ends = sideAt(end, abilitySide(ability));
  switch (ability.kind) {
    case "able":
      return findings({
        restsOn: [{ rule: "R10", code: "migration_supported", text: ability.text, confidence: "declared", ...ends }],
      });
    case "unable":
      return findings({
        reasons: [{ rule: "R10", ...REFUSALS[ability.by], text: ability.text, ...ends, remedy: MOVE_COLD }],
      });
    case "unknown": {
      const text = `whether the ${end}'s driver can migrate its device is not known: ${ability.text}`;
      return findings({ missing: [{ rule: "R10", code: "migration_support_unknown", text, ...ends }] });
    }
  }
}

function abilitySide({ kind, evidence }: Ability): Side {
  return kind === "unknown" ? { evidence } : { value: kind === "able" ? "can migrate" : "cannot migrate", evidence };
}

/** QEMU stops several devices one after the other; without P2P one could still reach another that has stopped. */
function reportP2p({ end, profile, ability }: Judged): Findings {
  if (ability.kind !== "able" || ability.p2p === true) return NO_FINDINGS;
  const ends = sideAt(end, { evidence: ability.evidence });
  const device = `${profile.subject.id} on ${profile.subject.host}`;
  if (ability.p2p === undefined) {
    const text = `whether ${device} has P2P, which several devices of one VM need, is not known`;
    return findings({ missing: [{ rule: "R10", code: "p2p_unknown", text, ...ends }] });
  }
  const text = `${device} has no P2P, which several devices of one VM need`;
  return findings({ reasons: [{ rule: "R10", code: "p2p_missing", text, ...ends, remedy: MOVE_COLD }] });
}

/**
 * Without dirty tracking by device or IOMMU, QEMU refuses unless the device says `enable-migration=on`. The facts
 * `iommu_dirty_tracking` and `enable_migration` say so for one end.
 */
function reportDirtyTracking({ end, profile, ability }: Judged): Findings {
  if (ability.kind !== "able" || ability.dirtyTracking === true) return NO_FINDINGS;
  if (isOn(profile, "iommu_dirty_tracking")) return NO_FINDINGS;
  const device = `${profile.subject.id} on ${profile.subject.host}`;
  if (isOn(profile, "enable_migration")) {
    const text = `${device} is not known to track dirty pages; enable-migration=on lets it move with all of its memory`;
    return findings({ notes: [{ rule: "R10", code: "dirty_tracking_waived", text }] });
  }
  return refuseUntracked({ end, device, ability });
}

function refuseUntracked(untracked: { readonly end: End; readonly device: string; readonly ability: Able }): Findings {
  const { end, device, ability } = untracked;
  const ends = sideAt(end, { evidence: ability.evidence });
  if (ability.dirtyTracking === undefined) {
    const text = `whether dirty pages of ${device} are tracked is not known`;
    const remedy: Remedy = { kind: "declare", fact: "iommu_dirty_tracking" };
    return findings({ missing: [{ rule: "R10", code: "dirty_tracking_unknown", text, ...ends, remedy }] });
  }
  const text = `dirty pages of ${device} are not tracked`;
  const remedy: Remedy = { kind: "change-setting", setting: "enable_migration", value: "on" };
  return findings({ reasons: [{ rule: "R10", code: "dirty_tracking_missing", text, ...ends, remedy }] });
}

function isOn(profile: MigrationProfile, fact: string): boolean {
  const reading = factOf(profile, fact);
  return reading.kind === "known" && parseSwitch(reading.value) === "on";
}

/** Devices of one VM share their hosts: what is said of a host is said once. */
function dropRepeats(found: Findings): Findings {
  return {
    agreements: unique(found.agreements),
    reasons: unique(found.reasons),
    missing: unique(found.missing),
    restsOn: unique(found.restsOn),
    claims: unique(found.claims),
    notes: unique(found.notes),
  };
}

function unique<T>(items: readonly T[]): readonly T[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}

function usesOf(packs: readonly LoadedPack[]): readonly PackUse[] {
  return unique(packs.map(({ pack, digest }) => ({ name: pack.name, version: pack.version, digest })));
}
