// SPDX-License-Identifier: Apache-2.0

import type { Evidence, Reading } from "../device/evidence.ts";
import { absent, known, unreadable } from "../device/evidence.ts";

/** An object of a profile file that fits the schema, and where it stands. */
export interface ProfilePart {
  readonly host: string;
  /** Name of the file. */
  readonly place: string;
  /** JSON pointer of this object; empty at the top. */
  readonly pointer: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** A nested object of a part; without keys where the file has none. */
export function readPart(part: ProfilePart, key: string): ProfilePart {
  const value = valueAt(part, key);
  const values = typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  return { ...part, pointer: pointerTo(part, key), values };
}

/** The raw value of a key; undefined where the file does not have it. */
export function valueAt(part: ProfilePart, key: string): unknown {
  return Object.hasOwn(part.values, key) ? part.values[key] : undefined;
}

/** Where a key's value stands: the file and the JSON pointer. */
function evidenceAt(part: ProfilePart, key: string): Evidence {
  return { host: part.host, source: "declaration", path: `${part.place}#${pointerTo(part, key)}` };
}

/**
 * Reads one fact: absent where the key is, unreadable where the file says so or where `parse` throws SyntaxError or
 * RangeError. The schema has seen to the JSON type already.
 */
export function readKey<T>(part: ProfilePart, key: string, parse: (value: never) => T): Reading<T> {
  const value = valueAt(part, key);
  const evidence = evidenceAt(part, key);
  if (value === undefined) return absent(evidence);
  if (isUnreadable(value)) {
    return unreadable(value.unreadable, value.text === undefined ? evidence : { ...evidence, text: value.text });
  }
  const text = (typeof value === "string" ? value : JSON.stringify(value)).slice(0, 4096);
  try {
    return known(parse(value as never), { ...evidence, text });
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError)
      return unreadable(error.message, { ...evidence, text });
    throw error;
  }
}

/** Reads a fact whose text is its value. */
export function readTextKey(part: ProfilePart, key: string): Reading<string> {
  return readKey(part, key, (text: string) => text);
}

/** Writes one fact as readKey reads it; undefined where it is absent, so that the key is left out. */
export function formatReading<T>(
  reading: Reading<T>,
  format: (value: T) => unknown = (value): unknown => value,
): unknown {
  switch (reading.kind) {
    case "known":
      return format(reading.value);
    case "absent":
      return undefined;
    case "unreadable": {
      const why = { unreadable: reading.why.slice(0, 500) || "unreadable" };
      return reading.evidence.text === undefined ? why : { ...why, text: reading.evidence.text.slice(0, 4096) };
    }
  }
}

/** Leaves out the keys that hold nothing. */
export function compactObject(values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

interface UnreadableMark {
  readonly unreadable: string;
  readonly text?: string;
}

/** Whether a value is the file's mark for a fact that could not be read. */
function isUnreadable(value: unknown): value is UnreadableMark {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.hasOwn(value, "unreadable") &&
    typeof (value as UnreadableMark).unreadable === "string" &&
    Object.keys(value).every((key) => key === "unreadable" || key === "text")
  );
}

function pointerTo(part: ProfilePart, key: string): string {
  return `${part.pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}
