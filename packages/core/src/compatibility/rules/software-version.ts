// SPDX-License-Identifier: Apache-2.0

import { known, type Reading } from "../../device/evidence.ts";
import type { MigrationProfile } from "../../device/migration-profile.ts";
import { formatSoftwareVersion, type SoftwareVersion } from "../../device/software-version.ts";
import { findStreamVersion } from "../packs/find-statements.ts";
import { matchPack, packSubjectOf } from "../packs/match-pack.ts";
import type { Pair } from "../pair.ts";
import { describeGaps, sidesOf } from "../side.ts";
import { findings, type Findings, type Remedy } from "../verdict.ts";
import { checkUnstatedVersion } from "./unstated-version.ts";

/** Two versions that are to be compared, and what stated them. */
interface Versions {
  readonly source: Known;
  readonly destination: Known;
  readonly by: "drivers" | "packs";
}
type Known = Extract<Reading<SoftwareVersion>, { readonly kind: "known" }>;

/**
 * R4: the destination driver must understand the source's migration stream (seed 002; D9-D12).
 * It does if the major versions are equal and its minor version is no older; bugfix releases never change the stream.
 * Malformed, or missing on one side, is undetermined. Where neither side exports a version, a pack may state it; else
 * the same build of the vendor driver may stand in.
 */
export function checkSoftwareVersion(pair: Pair): Findings {
  const source = pair.source.attributes.softwareVersion;
  const destination = pair.destination.attributes.softwareVersion;
  if (source.kind === "known" && destination.kind === "known") {
    return compareVersions(pair, { source, destination, by: "drivers" });
  }
  if (source.kind === "absent" && destination.kind === "absent") return checkStated(pair);
  const code =
    source.kind === "unreadable" || destination.kind === "unreadable"
      ? ({ code: "software_version_malformed" } as const)
      : ({ code: "software_version_one_side" } as const);
  const text = describeGaps("software_version", source, destination);
  const sides = sidesOf(source, destination, formatSoftwareVersion);
  return findings({ missing: [{ rule: "R4", ...code, text, ...sides }] });
}

/** R4 (a): both drivers' stream versions as packs state them; where one is not stated, (b) and (c). */
function checkStated(pair: Pair): Findings {
  const [source, destination] = [statedVersion(pair, pair.source), statedVersion(pair, pair.destination)];
  if (source.kind === "known" && destination.kind === "known") {
    return compareVersions(pair, { source, destination, by: "packs" });
  }
  const doubts = [source, destination].flatMap((stated) => (stated.kind === "unreadable" ? [stated.why] : []));
  return checkUnstatedVersion(pair, [...new Set(doubts)]);
}

function statedVersion(pair: Pair, profile: MigrationProfile): Reading<SoftwareVersion> {
  const found = findStreamVersion(profile, pair.packs);
  const evidence = { host: profile.subject.host, source: "pack", path: "driver packs" } as const;
  if (found.kind === "none") return { kind: "absent", evidence };
  if (found.kind === "unknown") return { kind: "unreadable", why: found.why, evidence };
  const { name, version } = found.pack.pack;
  const text = `stream version ${formatSoftwareVersion(found.version)} (${found.from})`;
  return known(found.version, { ...evidence, path: `pack ${name} ${version}`, text });
}

function compareVersions(pair: Pair, versions: Versions): Findings {
  const [source, destination] = [versions.source.value, versions.destination.value];
  const sides = sidesOf(versions.source, versions.destination, formatSoftwareVersion);
  const both = `${formatSoftwareVersion(source)} at the source, ${formatSoftwareVersion(destination)} at the destination`;
  if (source.major !== destination.major) {
    // Not "or newer": the next major version would be another stream again.
    const remedy = remedyFor(pair, source, "match");
    const text = `the stream's major version differs: ${both}`;
    return findings({ reasons: [{ rule: "R4", code: "software_version_major", text, ...sides, remedy }] });
  }
  const exact = demandOfPacks(pair);
  if (!(destination.minor >= source.minor)) {
    const remedy = remedyFor(pair, source, exact.kind === "exact" ? "match" : "upgrade");
    const text = `the destination's minor version is older than the source's: ${both}`;
    return findings({ reasons: [{ rule: "R4", code: "software_version_minor", text, ...sides, remedy }] });
  }
  if (destination.minor !== source.minor && exact.kind === "exact") {
    const remedy = remedyFor(pair, source, "match");
    const text = `pack ${exact.pack} demands equal minor versions: ${both}`;
    return findings({ reasons: [{ rule: "R4", code: "software_version_exact", text, ...sides, remedy }] });
  }
  if (destination.minor !== source.minor && exact.kind === "unknown") {
    const text = `whether pack ${exact.pack}, which demands equal minor versions, applies is not known: ${both}`;
    return findings({ missing: [{ rule: "R4", code: "software_version_exact_unknown", text, ...sides }] });
  }
  const code =
    versions.by === "drivers"
      ? ({ code: "software_version_declared" } as const)
      : ({ code: "software_version_pack" } as const);
  const text = `the destination understands the source's stream version: ${both}`;
  return findings({ restsOn: [{ rule: "R4", ...code, text, confidence: "declared", ...sides }] });
}

function remedyFor({ source }: Pair, version: SoftwareVersion, how: "upgrade" | "match"): Remedy {
  const driver = source.vendorDriver.kind === "known" ? source.vendorDriver.value : "the vendor driver";
  const text = formatSoftwareVersion(version);
  return how === "upgrade"
    ? { kind: "upgrade-driver", driver, atLeast: text, below: `${version.major + 1}.0.0` }
    : { kind: "match-driver", driver, version: text };
}

type Demand = { readonly kind: "exact" | "unknown"; readonly pack: string } | { readonly kind: "none" };

/** D11: whether a pack of either end demands that minor versions be equal. */
function demandOfPacks({ source, destination, packs }: Pair): Demand {
  const subjects = [packSubjectOf(source), packSubjectOf(destination)];
  let demand: Demand = { kind: "none" };
  for (const loaded of packs) {
    if (loaded.pack.exactMinor !== true) continue;
    const answers = subjects.map((subject) => matchPack(loaded, subject));
    if (answers.includes("yes")) return { kind: "exact", pack: loaded.pack.name };
    if (answers.includes("unknown")) demand = { kind: "unknown", pack: loaded.pack.name };
  }
  return demand;
}
