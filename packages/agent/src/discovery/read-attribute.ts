// SPDX-License-Identifier: Apache-2.0

import { ATTRIBUTE_MAX, stripNewline } from "@berth/core/sysfs/attribute-text";
import { absent, known, unreadable } from "@berth/core/device/evidence";
import type { Evidence, EvidenceSource, Reading } from "@berth/core/device/evidence";
import type { Text, Unread } from "../host/sysfs-tree.ts";
import { evidenceOf, noteProblem, noteUnread } from "./scan.ts";
import type { Scan } from "./scan.ts";

/** Raw text to value; throws SyntaxError or RangeError. Undefined: the text is right and says that there is nothing. */
export type Codec<T> = (raw: string) => T | undefined;

/** An attribute that is not read as the usual is. */
export interface Attribute {
  readonly path: string;
  /** The kernel always has this file: its absence is a problem. */
  readonly isRequired?: boolean;
  /** `sysfs` unless said. */
  readonly source?: EvidenceSource;
  /** Longest text in bytes, newline left out; 4096, one page of sysfs, unless said. */
  readonly maxBytes?: number;
}

/**
 * Reads one attribute: its value with the raw text as evidence, or why there is none. Whatever is wrong with it is also
 * taken down as a problem. Never throws for what the tree holds.
 */
export function readAttribute<T>(scan: Scan, attribute: string | Attribute, codec: Codec<T>): Reading<T> {
  const given = typeof attribute === "string" ? { path: attribute } : attribute;
  const place = { scan, source: "sysfs" as const, maxBytes: ATTRIBUTE_MAX, ...given };
  const read = scan.tree.read(place.path, place.maxBytes + 1);
  if (read.kind === "text") return parseReading(place, read.text, codec);
  if (read.kind === "absent" && given.isRequired === true && scan.tree.resolve(place.path).kind !== "dangling") {
    noteProblem(scan, { code: "attribute_missing", path: place.path, message: "The attribute is not there" });
  }
  return explainUnread(place, read);
}

/** Reads a file that is not text. */
export function readBytes<T>(scan: Scan, path: string, codec: (bytes: Uint8Array) => T): Reading<T> {
  const place: Place = { scan, path, source: "sysfs", maxBytes: ATTRIBUTE_MAX };
  const read = scan.tree.readBytes(path, ATTRIBUTE_MAX);
  if (read.kind === "too-long") return refuseLength(place, "");
  if (read.kind !== "bytes") return explainUnread(place, read);
  const evidence = evidenceOf(scan, path);
  try {
    return known(codec(read.bytes), evidence);
  } catch (error) {
    const why = explainParse(error);
    noteProblem(scan, { code: "attribute_malformed", path, message: why });
    return unreadable(why, evidence);
  }
}

interface Place {
  readonly scan: Scan;
  readonly path: string;
  readonly source: EvidenceSource;
  readonly maxBytes: number;
}

function parseReading<T>(place: Place, raw: string, codec: Codec<T>): Reading<T> {
  const { scan, path, source } = place;
  const text = stripNewline(raw);
  if (text.length > place.maxBytes) return refuseLength(place, text);
  const evidence = evidenceOf(scan, path, { source, text: text.slice(0, ATTRIBUTE_MAX) });
  try {
    const value = codec(raw);
    return value === undefined ? absent(evidence) : known(value, evidence);
  } catch (error) {
    const why = explainParse(error);
    noteProblem(scan, { code: "attribute_malformed", path, message: why, text });
    return unreadable(why, evidence);
  }
}

function refuseLength(place: Place, start: string): Reading<never> {
  const why = `longer than ${place.maxBytes} bytes`;
  noteProblem(place.scan, { code: "attribute_too_long", path: place.path, message: `The text is ${why}`, text: start });
  return unreadable(
    why,
    evidenceOf(place.scan, place.path, { source: place.source, text: start.slice(0, ATTRIBUTE_MAX) }),
  );
}

function explainUnread(place: Place, read: Exclude<Text, { kind: "text" }>): Reading<never> {
  const { scan, path, source } = place;
  if (read.kind === "too-long") return refuseLength(place, read.start);
  const evidence = evidenceOf(scan, path, { source });
  if (read.kind === "absent") return explainAbsence(place, evidence);
  noteUnread(scan, path, read);
  return unreadable(explain(read), evidence);
}

/** Nothing at all is there, or a link that leads to nothing: that is something which cannot be read. */
function explainAbsence({ scan, path }: Place, evidence: Evidence): Reading<never> {
  const at = scan.tree.resolve(path);
  if (at.kind !== "dangling") return absent(evidence);
  noteDangling(scan, path, at.path);
  return unreadable(`the link leads to ${at.path}, which is not there`, evidence);
}

/** Takes down a link whose target is not there. */
export function noteDangling(scan: Scan, path: string, target: string): void {
  noteProblem(scan, { code: "link_broken", path, message: `The link leads to ${target}, which is not there` });
}

/** One sentence on why something could not be read, with the kernel's errno first. */
export function explain(unread: Exclude<Unread, { kind: "absent" }>): string {
  return `${unread.errno}: ${unread.why}`;
}

/** The message of a codec's complaint. Anything but a complaint about the text is an error of this program. */
export function explainParse(error: unknown): string {
  if (error instanceof SyntaxError || error instanceof RangeError) return error.message;
  throw error;
}
