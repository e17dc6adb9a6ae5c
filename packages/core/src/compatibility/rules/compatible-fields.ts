// SPDX-License-Identifier: Apache-2.0

import type { Reading } from "../../device/evidence.ts";
import type { MigrationProfile } from "../../device/migration-profile.ts";
import { combineFindings } from "../combine-findings.ts";
import type { Pair } from "../pair.ts";
import { compareBuilds } from "../same-build.ts";
import { describeGaps, nothingAt, ownReading, sidesOf } from "../side.ts";
import { findings, NO_FINDINGS, type Findings } from "../verdict.ts";

type List = Reading<readonly string[]>;

/**
 * Fields whose items are known to be hexadecimal ids (section 5.1), and how many digits a number of theirs has at least:
 * 0 where the digits are taken as they stand. Other fields are compared byte by byte, whatever their names suggest.
 */
const ID_DIGITS: ReadonlyMap<string, number> = new Map([
  ["pci_id", 0],
  ["pci_ids", 0],
  ["chpid_type", 2],
  ["subchannel_type", 1],
]);

/**
 * R5: for every `compatible_<field>`, the destination's values are a superset of the source's (seed 002; D1, D23, D24).
 * A field that one side alone shows is undetermined, unless both are the same build of the driver. The field `type` is
 * R3's. Fields are reported in alphabetical order.
 */
export function checkCompatibleFields(pair: Pair): Findings {
  const fields = new Set([
    ...Object.keys(pair.source.attributes.compatible),
    ...Object.keys(pair.destination.attributes.compatible),
  ]);
  return combineFindings([...fields].toSorted().map((field) => checkField(pair, field)));
}

/** The items that the destination lacks, in the source's order, each as `foldItem` spells it. */
export function findLacking(
  field: string,
  source: readonly string[],
  destination: readonly string[],
): readonly string[] {
  const offered = new Set(destination.map((item) => foldItem(field, item)));
  return source.filter((item) => !offered.has(foldItem(field, item)));
}

/**
 * The one spelling of an item by which it is compared. Ids lose case and `0x`; types of channel paths and subchannels,
 * which drivers print with one digit or with two, lose leading zeros too: `9` is `09`.
 */
export function foldItem(field: string, item: string): string {
  const digits = ID_DIGITS.get(field);
  if (digits === undefined) return item;
  const id = item.toLowerCase().replaceAll(/(?<![0-9a-z])0x(?=[0-9a-f])/g, "");
  return digits > 0 && /^[0-9a-f]+$/.test(id) ? id.replace(/^0+/, "").padStart(digits, "0") : id;
}

function checkField(pair: Pair, field: string): Findings {
  const [source, destination] = [fieldOf(pair.source, field), fieldOf(pair.destination, field)];
  const sides = sidesOf(source, destination, (items) => items.join(", "));
  const name = `compatible_${field}`;
  if (source.kind === "known" && destination.kind === "known") {
    const lacking = findLacking(field, source.value, destination.value);
    if (lacking.length > 0) {
      const text = `${name} of the destination lacks ${lacking.join(", ")}`;
      return findings({ reasons: [{ rule: "R5", code: "compatible_field", text, ...sides }] });
    }
    const text = `${name} of the destination holds all that the source has`;
    return findings({
      restsOn: [{ rule: "R5", code: "compatible_field_superset", text, confidence: "declared", ...sides }],
    });
  }
  if (source.kind === "absent" && destination.kind === "absent") return NO_FINDINGS;
  if (source.kind === "unreadable" || destination.kind === "unreadable") {
    const text = describeGaps(name, source, destination);
    return findings({ missing: [{ rule: "R5", code: "compatible_field_unreadable", text, ...sides }] });
  }
  return checkOneSided(pair, describeGaps(name, source, destination), sides);
}

/** One build shows one set of fields: a field that only one of two equal builds shows is a matter of the tree, not of the driver. */
function checkOneSided(pair: Pair, gap: string, sides: ReturnType<typeof sidesOf>): Findings {
  const builds = compareBuilds(pair.source, pair.destination);
  if (builds.kind === "same" && pair.policy.sameBuild.compatibleFields) {
    const text = `${gap}, and both are the ${builds.text}`;
    return findings({
      restsOn: [{ rule: "R5", code: "compatible_field_same_build", text, confidence: "same-build", ...sides }],
    });
  }
  const remedy =
    builds.kind === "same" ? { remedy: { kind: "allow", policy: "sameBuild.compatibleFields" } as const } : {};
  return findings({ missing: [{ rule: "R5", code: "compatible_field_one_side", text: gap, ...sides, ...remedy }] });
}

function fieldOf(profile: MigrationProfile, field: string): List {
  return ownReading(profile.attributes.compatible, field) ?? nothingAt(profile, `compatible_${field}`);
}
