// SPDX-License-Identifier: Apache-2.0

import type { Reading } from "../../device/evidence.ts";
import type { Pair, ProbeAnswer } from "../pair.ts";
import { pairKey } from "../pair-key.ts";
import { compareBuilds } from "../same-build.ts";
import { describeGaps, sidesOf, type Sides } from "../side.ts";
import { findings, NO_FINDINGS, type Findings } from "../verdict.ts";
import { relateTypes } from "./type.ts";
import { matchDriver } from "./unstated-version.ts";

/**
 * R8: `migration_version` is opaque; only the destination's driver may judge it, by a write during an explicit probe
 * (seed 001, section 3.1; D18). Nothing is written and no strings are compared here: a remembered answer for this pair of
 * classes counts, and without one the answer is what a probe would tell. Neither side showing the attribute is no answer
 * at all; then this rule does not apply.
 */
export function checkMigrationVersion(pair: Pair): Findings {
  const source = pair.source.attributes.migrationVersion;
  const destination = pair.destination.attributes.migrationVersion;
  const sides = sidesOf(source, destination);
  if (source.kind === "absent" && destination.kind === "absent") return NO_FINDINGS;
  if (isRefusal(source) || isRefusal(destination)) {
    const text = `a driver says that it cannot migrate at all: ${describeGaps("migration_version", source, destination)}`;
    return findings({ reasons: [{ rule: "R8", code: "migration_version_unsupported", text, ...sides }] });
  }
  if (source.kind === "known" && destination.kind === "known") return checkRemembered(pair, sides);
  const text = describeGaps("migration_version", source, destination);
  if (source.kind === "known" && destination.kind === "absent" && !isOneDriver(pair)) {
    const why = `${text}: its driver does not support migration by this interface`;
    const remedy = matchDriver(pair.source);
    return findings({ reasons: [{ rule: "R8", code: "migration_version_absent", text: why, ...sides, ...remedy }] });
  }
  const code =
    source.kind === "unreadable" || destination.kind === "unreadable"
      ? ({ code: "migration_version_unreadable" } as const)
      : ({ code: "migration_version_one_side" } as const);
  return findings({ missing: [{ rule: "R8", ...code, text, ...sides }] });
}

/** One build shows the attribute of one type at both ends or at neither: where it does not, one was not read. */
function isOneDriver(pair: Pair): boolean {
  return relateTypes(pair) === "equal" && compareBuilds(pair.source, pair.destination).kind === "same";
}

/**
 * ENODEV on reading says "never"; any other failure may be one of permissions or of the moment (section 12). The errno
 * stands first in `why`: further on, it may be quoted from somebody's text.
 */
function isRefusal(reading: Reading<string>): boolean {
  return reading.kind === "unreadable" && /^(?:read: )?ENODEV\b/.test(reading.why);
}

function checkRemembered(pair: Pair, sides: Sides): Findings {
  const key = pairKey(pair);
  const { probes } = pair.memory;
  const answer = key !== undefined && Object.hasOwn(probes, key) ? probes[key] : undefined;
  if (answer !== undefined) return weighAnswer(answer, sides);
  // Unlike types are refused by R3 already; a probe would be asked for nothing.
  if (relateTypes(pair) === "different") return NO_FINDINGS;
  if (key === undefined) {
    const text =
      "the driver's build, kernel, type or PCI ids are not known, so no probe's answer can be remembered for this pair";
    return findings({ missing: [{ rule: "R8", code: "migration_version_class_unknown", text, ...sides }] });
  }
  const text = "the destination's driver has not been asked about the source's migration_version";
  const remedy = { kind: "probe" } as const;
  return findings({ missing: [{ rule: "R8", code: "migration_version_unprobed", text, ...sides, remedy }] });
}

function weighAnswer(answer: ProbeAnswer, sides: Sides): Findings {
  const { host, accepted, otherLevelAccepted = accepted } = answer;
  const reasons = accepted ? [] : [refusal(answer, sides)];
  if (otherLevelAccepted !== accepted) {
    const text = `the driver on ${host} answers one way at the type and the other way at the device: a bug of the driver`;
    const note = { rule: "R8", code: "migration_version_levels_disagree", text } as const;
    return findings({ reasons, missing: accepted ? [{ ...note, ...sides }] : [], notes: [note] });
  }
  if (!accepted) return findings({ reasons });
  const text = `the driver on ${host} accepted the source's migration_version for this pair of classes`;
  return findings({
    restsOn: [{ rule: "R8", code: "migration_version_accepted", text, confidence: "probed", ...sides }],
  });
}

function refusal(answer: ProbeAnswer, sides: Sides): Findings["reasons"][number] {
  const errno = answer.errno === undefined ? "" : ` with ${answer.errno}`;
  const text = `the driver on ${answer.host} refused the source's migration_version${errno}`;
  return { rule: "R8", code: "migration_version_refused", text, ...sides };
}
