// SPDX-License-Identifier: Apache-2.0

import type { MigrationProfile } from "../../device/migration-profile.ts";
import type { Pair } from "../pair.ts";
import { pairKey } from "../pair-key.ts";
import { compareBuilds, describeBuild, type BuildComparison } from "../same-build.ts";
import { findings, type Findings, type Remedy } from "../verdict.ts";

/**
 * R4 (b) and (c): neither side says which stream version it speaks, and no pack does.
 * The same build of the vendor driver speaks one stream; else so many recorded moves of this very pair of classes as the
 * policy asks for; else it stays undetermined (D9). `doubts` are what kept a pack from stating the version.
 */
export function checkUnstatedVersion(pair: Pair, doubts: readonly string[]): Findings {
  const builds = compareBuilds(pair.source, pair.destination);
  const sides = { source: builds.source, destination: builds.destination };
  if (builds.kind === "same" && pair.policy.sameBuild.softwareVersion) {
    const { text } = builds;
    return findings({
      restsOn: [{ rule: "R4", code: "software_version_same_build", text, confidence: "same-build", ...sides }],
    });
  }
  const successes = countSuccesses(pair);
  const wanted = pair.policy.acceptAfterSuccesses;
  if (wanted > 0 && successes >= wanted) {
    const text = `${successes} recorded moves of this pair of classes succeeded, and the policy asks for ${wanted}`;
    return findings({ restsOn: [{ rule: "R4", code: "software_version_seen", text, confidence: "seen", ...sides }] });
  }
  const why = [
    describeBuilds(builds),
    ...doubts,
    ...(wanted > 0 ? [`${successes} of ${wanted} successes are recorded`] : []),
  ];
  const text = `neither side shows a software_version, and nothing else tells it: ${why.join("; ")}`;
  const remedy = remedyFor(pair, builds);
  return findings({ missing: [{ rule: "R4", code: "software_version_missing", text, ...sides, ...remedy }] });
}

function countSuccesses(pair: Pair): number {
  const key = pairKey(pair);
  return key !== undefined && Object.hasOwn(pair.memory.successes, key) ? (pair.memory.successes[key] ?? 0) : 0;
}

function describeBuilds(builds: BuildComparison): string {
  if (builds.kind === "same") return `the policy does not accept the ${builds.text}`;
  return builds.kind === "different"
    ? `not the same build (${builds.text})`
    : `the builds cannot be compared (${builds.text})`;
}

function remedyFor({ source }: Pair, builds: BuildComparison): { readonly remedy?: Remedy } {
  if (builds.kind === "same") return { remedy: { kind: "allow", policy: "sameBuild.softwareVersion" } };
  if (builds.kind !== "different") return {};
  if (builds.parts.every((part) => part === "build" || part === "kernel")) return matchDriver(source);
  // Firmware is installed by itself; beside anything else that differs it is one of two things to do.
  const { firmware } = source;
  if (builds.parts.length > 1 || builds.parts[0] !== "firmware" || firmware.kind !== "known") return {};
  return { remedy: { kind: "match-driver", driver: "device firmware", version: firmware.value } };
}

/** To run the source's build of the driver, where it is known. */
export function matchDriver(source: MigrationProfile): { readonly remedy?: Remedy } {
  const build = describeBuild(source);
  if (source.module.kind !== "known" || build === undefined) return {};
  const driver = source.module.value.name;
  return { remedy: { kind: "match-driver", driver, version: build.slice(driver.length).trim() } };
}
