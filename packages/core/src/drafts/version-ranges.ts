// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "../device/quoted-text.ts";
import { formatSoftwareVersion, parseSoftwareVersion, type SoftwareVersion } from "../device/software-version.ts";
import { checkPeerText } from "./peer-text.ts";

/** One range of versions; both ends belong to it, and one without an end stops with its owner's major version. */
export type VersionRange =
  | { readonly kind: "only"; readonly version: SoftwareVersion }
  | { readonly kind: "between"; readonly from: SoftwareVersion; readonly to: SoftwareVersion }
  | { readonly kind: "since"; readonly from: SoftwareVersion };

/** At least one range, in the order in which they were written. */
export type VersionRanges = readonly [VersionRange, ...VersionRange[]];

/** Whether a version is among those that the owner of the ranges says it accepts. */
export type VersionAnswer =
  | { readonly kind: "accepted"; readonly by: VersionRange }
  | {
      readonly kind: "refused";
      readonly why: { readonly code: "other_major" | "in_no_range"; readonly text: string };
    };

/**
 * Reads `interface_version_compatible`, such as `2.0.2-2.0.4,2.1.0-` (P8):
 * `list = range {"," range}; range = ver | ver "-" ver | ver "-"`, without blanks; a missing bugfix is 0.
 * Throws SyntaxError, or RangeError where a range ends before it begins or the text is longer than 4094 characters.
 */
export function parseVersionRanges(text: string): VersionRanges {
  checkPeerText(text, "version ranges");
  const [first = "", ...rest] = text.split(",");
  return [parseRange(first), ...rest.map(parseRange)];
}

/** Writes the ranges in their order, every version with its bugfix. */
export function formatVersionRanges(ranges: VersionRanges): string {
  return ranges.map(formatRange).join(",");
}

/**
 * Looks a source's version up in the ranges that the destination, their owner, exports beside its own version (P8; D1).
 * Ranges never reach beyond the owner's own major version: another major is refused whatever they say.
 */
export function checkVersion(ranges: VersionRanges, owner: SoftwareVersion, candidate: SoftwareVersion): VersionAnswer {
  const version = formatSoftwareVersion(candidate);
  if (candidate.major !== owner.major) {
    const text = `${version} is of another major version than ${formatSoftwareVersion(owner)}`;
    return { kind: "refused", why: { code: "other_major", text } };
  }
  const by = ranges.find((range) => isWithin(range, candidate));
  if (by !== undefined) return { kind: "accepted", by };
  const text = `${version} is in none of the ranges ${quoteText(formatVersionRanges(ranges))}`;
  return { kind: "refused", why: { code: "in_no_range", text } };
}

function parseRange(text: string): VersionRange {
  const [start = "", end, ...more] = text.split("-");
  if (more.length > 0) {
    throw new SyntaxError(`Cannot parse version ranges: expected one "-" in a range, got ${quoteText(text)}`);
  }
  const from = parseSoftwareVersion(start);
  if (end === undefined) return { kind: "only", version: from };
  if (end === "") return { kind: "since", from };
  const to = parseSoftwareVersion(end);
  if (compareVersions(from, to) > 0) {
    throw new RangeError(`Cannot parse version ranges: a range ends before it begins: ${quoteText(text)}`);
  }
  return { kind: "between", from, to };
}

function formatRange(range: VersionRange): string {
  if (range.kind === "only") return formatSoftwareVersion(range.version);
  const end = range.kind === "between" ? formatSoftwareVersion(range.to) : "";
  return `${formatSoftwareVersion(range.from)}-${end}`;
}

function isWithin(range: VersionRange, version: SoftwareVersion): boolean {
  if (range.kind === "only") return compareVersions(version, range.version) === 0;
  const isEarly = compareVersions(version, range.from) < 0;
  return !isEarly && (range.kind === "since" || compareVersions(version, range.to) <= 0);
}

/** By numbers, bugfix included: the ranges of the draft tell bugfix releases apart, other than rule R4. */
function compareVersions(left: SoftwareVersion, right: SoftwareVersion): number {
  return left.major - right.major || left.minor - right.minor || left.bugfix - right.bugfix;
}
