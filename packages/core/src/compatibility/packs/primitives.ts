// SPDX-License-Identifier: Apache-2.0

import { parseSoftwareVersion } from "../../device/software-version.ts";
import type { SoftwareVersion } from "../../device/software-version.ts";
import { compareDotted, parseDotted } from "./dotted.ts";
import { foldCase, isNamed, splitItems } from "./named-text.ts";
import type { PackRule } from "./pack.ts";

/** What one primitive says of two texts. `malformed` names the end whose text it cannot read. */
export type Comparison =
  | { readonly kind: "holds" }
  | { readonly kind: "fails"; readonly why: string }
  | { readonly kind: "malformed"; readonly side: "source" | "destination"; readonly why: string };

/** A rule that compares a fact of the source with one of the destination. */
export type TwoSidedRule = Exclude<PackRule, { readonly kind: "pair-exception" | "refused" }>;
export type PairException = Extract<PackRule, { readonly kind: "pair-exception" }>;
export type RefusedState = Extract<PackRule, { readonly kind: "refused" }>;

const HOLDS: Comparison = { kind: "holds" };

/** Compares both facts as the rule's primitive says. For `in-range` the destination's text is the range. */
export function compareFacts(rule: TwoSidedRule, source: string, destination: string): Comparison {
  switch (rule.kind) {
    case "equal":
      return compareEqual(source, destination);
    case "semver":
      return compareSemver(source, destination, rule.exact === true ? "exact" : "upwards");
    case "at-least":
      return compareAtLeast(source, destination);
    case "superset":
      return rule.bits === true ? compareBits(source, destination) : compareLists(source, destination);
    case "in-range":
      return compareRange(source, destination);
  }
}

/**
 * Decides a pair exception from what is known of either end: one end that the exception does not name is enough to say
 * that it does not apply. Undefined where an end that is not known could still complete the named pair.
 */
export function comparePair(
  rule: PairException,
  source: string | undefined,
  destination: string | undefined,
): Comparison | undefined {
  const from = source === undefined ? undefined : placesOf(rule, source);
  const to = destination === undefined ? undefined : placesOf(rule, destination);
  if (from !== undefined && !from.first && !(rule.both === true && from.second)) return HOLDS;
  if (to !== undefined && !to.second && !(rule.both === true && to.first)) return HOLDS;
  if (from === undefined || to === undefined) return undefined;
  const refused = (from.first && to.second) || (rule.both === true && from.second && to.first);
  return refused ? fails(`${quote(source ?? "")} to ${quote(destination ?? "")} is a refused pair`) : HOLDS;
}

/** Decides whether a side is in a state that stops a move. */
export function compareState(rule: RefusedState, text: string): Comparison {
  const found = splitItems(text).filter((item) => isNamed(item, rule.values));
  return found.length === 0 ? HOLDS : fails(`${rule.fact} of the ${rule.side} is ${found.map(quote).join(", ")}`);
}

/** In which of a pair's two lists a text stands. */
function placesOf(rule: PairException, text: string): { readonly first: boolean; readonly second: boolean } {
  return { first: isNamed(text, rule.source), second: isNamed(text, rule.destination) };
}

/** D7: equal as text after trimming, and as integers where both are integers (`0x10` is 16); ASCII case does not count. */
function compareEqual(source: string, destination: string): Comparison {
  if (source.trim() === "") return malformed("source", source, "a text");
  if (destination.trim() === "") return malformed("destination", destination, "a text");
  const same = foldCase(source.trim()) === foldCase(destination.trim());
  const left = parseInteger(source);
  if (same || (left !== undefined && left === parseInteger(destination))) return HOLDS;
  return fails(`${quote(source)} at the source, ${quote(destination)} at the destination`);
}

/** R4's comparison on any fact: bugfix releases are not compared. */
function compareSemver(source: string, destination: string, minor: "exact" | "upwards"): Comparison {
  const from = parseVersion(source);
  if (from === undefined) return malformed("source", source, "major.minor.bugfix");
  const to = parseVersion(destination);
  if (to === undefined) return malformed("destination", destination, "major.minor.bugfix");
  if (from.major !== to.major) return fails(`major version ${from.major} against ${to.major}`);
  if (minor === "exact" && from.minor !== to.minor) return fails(`minor version ${from.minor} against ${to.minor}`);
  if (to.minor < from.minor) return fails(`minor version ${to.minor} is older than ${from.minor}`);
  return HOLDS;
}

function compareAtLeast(source: string, destination: string): Comparison {
  const from = parseDotted(source);
  if (from === undefined) return malformed("source", source, "a dotted numeric version");
  const to = parseDotted(destination);
  if (to === undefined) return malformed("destination", destination, "a dotted numeric version");
  return compareDotted(to, from) >= 0 ? HOLDS : fails(`${quote(destination)} is less than ${quote(source)}`);
}

/** Items byte-exact, as section 5.1 compares them; the order does not count. */
function compareLists(source: string, destination: string): Comparison {
  const held = new Set(splitItems(destination));
  const lacking = splitItems(source).filter((item) => !held.has(item));
  return lacking.length === 0 ? HOLDS : fails(`the destination lacks ${lacking.map(quote).join(", ")}`);
}

/** Every bit of the source is set in the destination. Masks may be wider than 53 bits. */
function compareBits(source: string, destination: string): Comparison {
  const from = parseMask(source);
  if (from === undefined) return malformed("source", source, "a hexadecimal mask");
  const to = parseMask(destination);
  if (to === undefined) return malformed("destination", destination, "a hexadecimal mask");
  const lacking = from & ~to;
  return lacking === 0n ? HOLDS : fails(`the destination lacks bits 0x${lacking.toString(16)}`);
}

/** The direction of D1: the destination's range says what may come in. */
function compareRange(source: string, range: string): Comparison {
  const value = parseDotted(source);
  if (value === undefined) return malformed("source", source, "a dotted numeric version");
  const [low, high, ...rest] = splitItems(range).map(parseDotted);
  if (low === undefined || high === undefined || rest.length > 0 || compareDotted(low, high) > 0) {
    return malformed("destination", range, "a range: least and greatest version");
  }
  if (compareDotted(value, high) > 0) return fails(`${quote(source)} is above the range ${quote(range)}`);
  if (compareDotted(value, low) < 0) return fails(`${quote(source)} is below the range ${quote(range)}`);
  return HOLDS;
}

function parseVersion(text: string): SoftwareVersion | undefined {
  try {
    return parseSoftwareVersion(text.trim());
  } catch {
    return undefined;
  }
}

function parseInteger(text: string): bigint | undefined {
  const trimmed = text.trim();
  return /^(0|[1-9]\d{0,63}|0x[0-9a-f]{1,64})$/i.test(trimmed) ? BigInt(trimmed.toLowerCase()) : undefined;
}

function parseMask(text: string): bigint | undefined {
  const match = /^(?:0x)?([0-9a-f]{1,64})$/i.exec(text.trim());
  return match === null ? undefined : BigInt(`0x${match[1]}`);
}

function fails(why: string): Comparison {
  return { kind: "fails", why };
}

function malformed(side: "source" | "destination", text: string, expected: string): Comparison {
  return { kind: "malformed", side, why: `expected ${expected}, got ${quote(text)}` };
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
