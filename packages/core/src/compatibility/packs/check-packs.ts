// SPDX-License-Identifier: Apache-2.0

import type { MigrationProfile } from "../../device/migration-profile.ts";
import type { Pair } from "../pair.ts";
import { combineFindings } from "../combine-findings.ts";
import { findings, type Findings, type Missing, type PackUse, type Side } from "../verdict.ts";
import { checkRule } from "./check-rule.ts";
import type { Matched } from "./match-pack.ts";
import { explainUndecided, matchPack, packSubjectOf } from "./match-pack.ts";
import type { LoadedPack } from "./pack.ts";

/**
 * R11: the vendor's own rules. Every pack that speaks for both ends is asked, and all its rules are reported. A pack that
 * speaks for one end only, or of which that cannot be said, leaves the pair undetermined, unless R1 says that the two
 * ends do not belong to one vendor driver anyway.
 */
export function checkPacks(pair: Pair): { readonly findings: Findings; readonly packs: readonly PackUse[] } {
  const source = packSubjectOf(pair.source);
  const destination = packSubjectOf(pair.destination);
  const related = isSameDriver(pair.source, pair.destination);
  const parts: Findings[] = [];
  const used: PackUse[] = [];
  for (const pack of pair.packs) {
    const matched = [matchPack(pack, source), matchPack(pack, destination)] as const;
    const part = askPack(pack, matched, { pair, related });
    if (part === undefined) continue;
    parts.push(part);
    used.push({ name: pack.pack.name, version: pack.pack.version, digest: pack.digest });
  }
  return { findings: combineFindings(parts), packs: used };
}

/** One pack's part; undefined where it has nothing to do with this pair. */
function askPack(
  pack: LoadedPack,
  [source, destination]: readonly [Matched, Matched],
  given: { readonly pair: Pair; readonly related: Related },
): Findings | undefined {
  const { pair, related } = given;
  if (source === "no" && destination === "no") return undefined;
  if (source === "yes" && destination === "yes") {
    const rules = pack.pack.rules.map((rule) => checkRule(rule, pack.pack, pair));
    return combineFindings([...rules, notesOf(pack)]);
  }
  if (related === "no") return undefined;
  if (related === "unknown" && (source === "no" || destination === "no")) return undefined;
  if (source !== "unknown" && destination !== "unknown") return missingOnly(describeOneSided(pack, source, pair));
  return missingOnly(describeUndecided(pack, [source, destination], pair));
}

/** Whether both ends belong to one vendor driver, as R1 sees it. */
type Related = "yes" | "no" | "unknown";

function isSameDriver(source: MigrationProfile, destination: MigrationProfile): Related {
  const from = source.vendorDriver;
  const to = destination.vendorDriver;
  if (from.kind === "known" && to.kind === "known") return from.value === to.value ? "yes" : "no";
  return "unknown";
}

/** Two ends of one driver name, of which only one is the vendor's: nobody knows what the other one is. */
function describeOneSided(pack: LoadedPack, source: Matched, pair: Pair): Missing {
  const [end, other] = source === "yes" ? ["source", "destination"] : ["destination", "source"];
  const text = `Pack ${pack.pack.name} speaks for the ${end} and not for the ${other}, though both name one driver`;
  return { rule: "R11", code: "pack_one_sided", text, ...driverSides(pair) };
}

function describeUndecided(pack: LoadedPack, [source, destination]: readonly [Matched, Matched], pair: Pair): Missing {
  const ends = [
    ...(source === "unknown" ? [{ end: "source", profile: pair.source }] : []),
    ...(destination === "unknown" ? [{ end: "destination", profile: pair.destination }] : []),
  ];
  const text = ends
    .map(({ end, profile }) => `${explainUndecided(pack, packSubjectOf(profile))} at the ${end}`)
    .join("; ");
  return { rule: "R11", code: "pack_match_unknown", text, ...driverSides(pair) };
}

function driverSides(pair: Pair): { readonly source: Side; readonly destination: Side } {
  return { source: driverSide(pair.source), destination: driverSide(pair.destination) };
}

function driverSide({ vendorDriver }: MigrationProfile): Side {
  return vendorDriver.kind === "known"
    ? { value: vendorDriver.value, evidence: vendorDriver.evidence }
    : { evidence: vendorDriver.evidence };
}

function notesOf(pack: LoadedPack): Findings {
  return findings({ notes: pack.pack.notes ?? [] });
}

function missingOnly(missing: Missing): Findings {
  return findings({ missing: [missing] });
}
