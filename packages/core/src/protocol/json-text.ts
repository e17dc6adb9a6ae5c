// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "./berth-error.ts";

/** Largest JSON text that is read, in characters. */
export const JSON_TEXT_MAX: number = 4 * 1024 * 1024;
/** Deepest nesting of arrays and objects. No document of Berth comes near. */
const DEPTH_MAX = 64;

interface Scanner {
  readonly text: string;
  readonly place: string;
  at: number;
}

/**
 * Reads a JSON text (RFC 8259) and says where it is wrong: place, line and column, both from 1. Stricter than JSON.parse
 * in three things: a key may stand only once in an object, `__proto__` is no key, and nesting has an end. A byte order
 * mark at the start is skipped. Throws BerthError `json_malformed` or `file_too_large`.
 */
export function parseJsonText(text: string, place: string): unknown {
  if (text.length > JSON_TEXT_MAX) {
    throw new BerthError("file_too_large", `${place} holds ${text.length} characters, more than ${JSON_TEXT_MAX}`, {
      place,
    });
  }
  const scanner: Scanner = { text, place, at: text.startsWith("\u{feff}") ? 1 : 0 };
  const value = readValue(scanner, 0);
  skipSpace(scanner);
  if (scanner.at < text.length) throw malformed(scanner, "the end of the text");
  return value;
}

function readValue(scanner: Scanner, depth: number): unknown {
  skipSpace(scanner);
  const first = scanner.text[scanner.at];
  if (first === "{" || first === "[") {
    if (depth >= DEPTH_MAX) throw malformed(scanner, `at most ${DEPTH_MAX} levels of nesting`);
    return first === "{" ? readObject(scanner, depth + 1) : readArray(scanner, depth + 1);
  }
  if (first === '"') return readString(scanner);
  for (const [word, value] of [
    ["true", true],
    ["false", false],
    ["null", null],
  ] as const) {
    if (first === word[0] && scanner.text.startsWith(word, scanner.at)) {
      scanner.at += word.length;
      return value;
    }
  }
  return readNumber(scanner);
}

/** Takes an object. Keys are own properties: `__proto__` is refused before it could be set. */
function readObject(scanner: Scanner, depth: number): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  scanner.at++;
  if (isNext(scanner, "}")) return value;
  for (;;) {
    skipSpace(scanner);
    if (scanner.text[scanner.at] !== '"') throw malformed(scanner, "a key in double quotes");
    const start = scanner.at;
    const key = readString(scanner);
    if (key === "__proto__") throw malformed({ ...scanner, at: start }, "another key than __proto__");
    if (Object.hasOwn(value, key)) throw malformed({ ...scanner, at: start }, `the key ${quote(key)} only once`);
    if (!isNext(scanner, ":")) throw malformed(scanner, '":" after a key');
    value[key] = readValue(scanner, depth);
    if (isNext(scanner, "}")) return value;
    if (!isNext(scanner, ",")) throw malformed(scanner, '"," or "}"');
  }
}

function readArray(scanner: Scanner, depth: number): unknown[] {
  const value: unknown[] = [];
  scanner.at++;
  if (isNext(scanner, "]")) return value;
  for (;;) {
    value.push(readValue(scanner, depth));
    if (isNext(scanner, "]")) return value;
    if (!isNext(scanner, ",")) throw malformed(scanner, '"," or "]"');
  }
}

/** Takes a JSON string; its escapes are left to JSON.parse, once the text between the quotes is known to be one. */
function readString(scanner: Scanner): string {
  const token = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
  token.lastIndex = scanner.at;
  const match = token.exec(scanner.text);
  if (match === null) throw malformed(scanner, "a string in double quotes, without control characters");
  scanner.at = token.lastIndex;
  return match[0].includes("\\") ? (JSON.parse(match[0]) as string) : match[0].slice(1, -1);
}

/** Takes a number as RFC 8259 writes it; one that overflows to infinity is refused, not rounded. */
function readNumber(scanner: Scanner): number {
  const token = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
  token.lastIndex = scanner.at;
  const match = token.exec(scanner.text);
  if (match === null) throw malformed(scanner, "a JSON value");
  const value = Number(match[0]);
  if (!Number.isFinite(value)) throw malformed(scanner, "a number that fits");
  scanner.at = token.lastIndex;
  return value;
}

/** Takes a mark after white space, if it is there. */
function isNext(scanner: Scanner, mark: string): boolean {
  skipSpace(scanner);
  if (scanner.text[scanner.at] !== mark) return false;
  scanner.at++;
  return true;
}

function skipSpace(scanner: Scanner): void {
  const space = /[ \t\n\r]*/y;
  space.lastIndex = scanner.at;
  space.exec(scanner.text);
  scanner.at = space.lastIndex;
}

/** The error at the scanner's position. Lines are counted only now: a text without errors costs nothing. */
function malformed(scanner: Scanner, expected: string): BerthError {
  const before = scanner.text.slice(0, scanner.at).split("\n");
  const place = `${scanner.place}:${before.length}:${(before.at(-1) ?? "").length + 1}`;
  const found = scanner.at >= scanner.text.length ? "the end" : quote(scanner.text.slice(scanner.at, scanner.at + 20));
  return new BerthError("json_malformed", `${place}: expected ${expected}, got ${found}`, { place, expected });
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
