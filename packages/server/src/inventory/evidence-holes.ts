// SPDX-License-Identifier: Apache-2.0

import { isPciAddress } from "@berth/core/device/address";
import type { Evidence } from "@berth/core/device/evidence";
import type { MigrationProfile } from "@berth/core/device/migration-profile";

/**
 * A profile taken apart into what verdicts read and what they only repeat: where each fact was read, and the names of host,
 * parent and subject. Profiles of one form get the same answers but for what they repeat.
 */
export interface ProfileForm {
  /** Everything but what is repeated; undefined where the profile holds characters that stand for holes. */
  readonly key: string | undefined;
  /** In the order in which a walk over the profile meets them. */
  readonly evidences: readonly Evidence[];
  readonly subject: MigrationProfile["subject"];
}

/** Which end of a pair a hole is filled from. */
export type HoleEnd = "source" | "destination";

/** What a hole repeats: one whole evidence, a part of one, or a name of the subject. */
export const HOLE_PARTS = ["whole", "host", "path", "text", "subject-host", "subject-id", "subject-parent"] as const;
export type HolePart = (typeof HOLE_PARTS)[number];

/** One place of a text that is filled from a profile. */
export interface Hole {
  readonly end: HoleEnd;
  readonly part: HolePart;
  /** Number of the evidence; 0 for names of the subject. */
  readonly evidence: number;
}

// A mark is three characters of the private use area: the end, the number and the part.
const ENDS = { source: 0xe000, destination: 0xe001 } as const;
const PARTS_FROM = 0xe010;
const NUMBERS_FROM = 0xe100;
/** Profiles with more evidences than these have no form. */
const MOST_EVIDENCES = 4096;
const PRIVATE = /[\ue000-\uf8ff]/;
const MARK = /[\ue000\ue001][\ue100-\uf0ff][\ue010-\ue016]/g;
/** Stands for any parent on the PCI bus: R4 asks whether it is one. No text may hold it. */
export const PCI_STAND_IN = "ffff:fe:1f.7";

/** Takes a profile apart. Costs a walk over all of it. */
export function formOfProfile(profile: MigrationProfile): ProfileForm {
  const evidences: Evidence[] = [];
  const { subject, ...rest } = profile;
  const place = `${subject.kind} ${isPciAddress(subject.parent)} `;
  const text = place + keyText(rest, evidences);
  const isPlain = !PRIVATE.test(text) && evidences.length <= MOST_EVIDENCES && isPlainSubject(subject);
  return { key: isPlain ? text : undefined, evidences, subject };
}

/** A subject says no more than the names that marks stand for. */
function isPlainSubject(subject: object): boolean {
  return Object.keys(subject).length === 4;
}

/** Everything that a verdict may depend on, in the order in which it stands: another order is another form. */
function keyText(value: unknown, evidences: Evidence[]): string {
  if (typeof value === "string") return `${value.length}"${value}`;
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) {
    let items = "[";
    for (const item of value) items += `${keyText(item, evidences)},`;
    return `${items}]`;
  }
  const record = value as Readonly<Record<string, unknown>>;
  const isReading = isReadingLike(record);
  let text = "{";
  for (const key in record) {
    if (isReading && key === "evidence") {
      const evidence = record[key] as Evidence;
      evidences.push(evidence);
      text += shapeOf(evidence);
    } else {
      text += nameText(key) + keyText(record[key], evidences);
    }
  }
  return `${text}}`;
}

/** Texts of names, which are few: a name and its length, so that none is taken for another with what follows it. */
const nameTexts = new Map<string, string>();
const MOST_NAMES = 1024;

function nameText(name: string): string {
  const seen = nameTexts.get(name);
  if (seen !== undefined) return seen;
  const made = `,${name.length}:${name}=`;
  if (nameTexts.size < MOST_NAMES) nameTexts.set(name, made);
  return made;
}

/** What stays of an evidence in the form: its source, and which keys it has in which order. */
function shapeOf(evidence: Evidence): string {
  let text = "@";
  for (const key in evidence) {
    const value: unknown = evidence[key as keyof Evidence];
    const isRepeated = key === "host" || key === "path" || (key === "text" && value !== undefined);
    text += isRepeated ? key : nameText(key) + keyText(value, []);
  }
  return `${text};`;
}

/** A record of readings may have any names, also these two; their values are objects then. */
function isReadingLike(record: Readonly<Record<string, unknown>>): boolean {
  return typeof record["kind"] === "string" && typeof record["evidence"] === "object" && record["evidence"] !== null;
}

/** A profile of the same form that holds marks in place of what is repeated. */
export function markProfile(profile: MigrationProfile, end: HoleEnd): MigrationProfile {
  const { subject, ...rest } = profile;
  const next = { at: 0 };
  const mark = (part: HolePart): string => markOf({ end, part, evidence: 0 });
  const parent = isPciAddress(subject.parent) ? PCI_STAND_IN : mark("subject-parent");
  const marked = { kind: subject.kind, host: mark("subject-host"), parent, id: mark("subject-id") };
  return { subject: marked, ...(markValue(rest, end, next) as Omit<MigrationProfile, "subject">) };
}

function markValue(value: unknown, end: HoleEnd, next: { at: number }): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => markValue(item, end, next));
  const record = value as Readonly<Record<string, unknown>>;
  const isReading = isReadingLike(record);
  const entries = Object.keys(record).map((key): [string, unknown] => {
    if (!isReading || key !== "evidence") return [key, markValue(record[key], end, next)];
    next.at += 1;
    return [key, markEvidence(record[key] as Evidence, end, next.at - 1)];
  });
  return Object.fromEntries(entries);
}

function markEvidence(evidence: Evidence, end: HoleEnd, number: number): Evidence {
  const mark = (part: HolePart): string => markOf({ end, part, evidence: number });
  return {
    ...evidence,
    host: mark("host"),
    path: mark("path"),
    ...(evidence.text === undefined ? {} : { text: mark("text") }),
  };
}

function markOf({ end, part, evidence }: Hole): string {
  return String.fromCharCode(ENDS[end], NUMBERS_FROM + evidence, PARTS_FROM + HOLE_PARTS.indexOf(part));
}

/** A JSON text that marked profiles led to, cut at its marks; undefined where anything else is left of a mark. */
export interface CutText {
  /** One more than holes: what stands before, between and after them. */
  readonly pieces: readonly string[];
  readonly holes: readonly Hole[];
}

/** Cuts a JSON text of an answer to a pair of marked profiles. `forms` tell how whole evidences read in it. */
export function cutText(text: string, ends: Readonly<Partial<Record<HoleEnd, ProfileForm>>>): CutText | undefined {
  const joined = joinWholes(joinWholes(text, "source", ends.source), "destination", ends.destination);
  const pieces = joined.split(MARK);
  if (joined.includes(PCI_STAND_IN) || pieces.some((piece) => PRIVATE.test(piece))) return undefined;
  const holes = (joined.match(MARK) ?? []).map(parseMark);
  return { pieces, holes };
}

/** Most evidences are repeated whole: then they are one hole, not three. */
function joinWholes(text: string, end: HoleEnd, form: ProfileForm | undefined): string {
  return (form?.evidences ?? []).reduce((joined, evidence, number) => {
    const whole = JSON.stringify(markEvidence(evidence, end, number));
    return joined.replaceAll(whole, () => markOf({ end, part: "whole", evidence: number }));
  }, text);
}

function parseMark(mark: string): Hole {
  const end = mark.charCodeAt(0) === ENDS.source ? "source" : "destination";
  const part = HOLE_PARTS[mark.charCodeAt(2) - PARTS_FROM] ?? "whole";
  return { end, part, evidence: mark.charCodeAt(1) - NUMBERS_FROM };
}

/** Where the texts of a profile's holes are kept: whole evidences by number, then names; parts of evidences are rare, and not kept. */
export function slotOfHole({ evidences }: ProfileForm, { part, evidence }: Omit<Hole, "end">): number | undefined {
  switch (part) {
    case "whole":
      return evidence;
    case "subject-host":
      return evidences.length;
    case "subject-id":
      return evidences.length + 1;
    case "subject-parent":
      return evidences.length + 2;
    default:
      return undefined;
  }
}

/** The JSON text that belongs into a hole: a whole evidence, or what stands between the quotes of a string. */
export function textForHole({ evidences, subject }: ProfileForm, { part, evidence }: Omit<Hole, "end">): string {
  switch (part) {
    case "whole":
      return evidenceText(evidences[evidence]);
    case "host":
    case "path":
    case "text":
      return bare(evidences[evidence]?.[part]);
    case "subject-host":
      return bare(subject.host);
    case "subject-id":
      return bare(subject.id);
    case "subject-parent":
      return bare(subject.parent);
  }
}

const PLAIN_KEYS = ["host", "source", "path", "text"];

/** What `JSON.stringify` writes of an evidence, in a quarter of its time where it has the usual keys in their usual order. */
function evidenceText(evidence: Evidence | undefined): string {
  let count = 0;
  for (const key in evidence) {
    if (key !== PLAIN_KEYS[count] || typeof evidence[key as keyof Evidence] !== "string")
      return JSON.stringify(evidence);
    count += 1;
  }
  if (evidence === undefined || count < 3) return JSON.stringify(evidence);
  const { host, source, path, text } = evidence;
  const end = text === undefined ? "" : `,"text":${JSON.stringify(text)}`;
  return `{"host":${JSON.stringify(host)},"source":${JSON.stringify(source)},"path":${JSON.stringify(path)}${end}}`;
}

function bare(text = ""): string {
  return JSON.stringify(text).slice(1, -1);
}
