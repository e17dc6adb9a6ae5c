// SPDX-License-Identifier: Apache-2.0

/** Says what is wrong with a value, as lines `place: expected ...`; nothing where it is right. */
export type ValueCheck = (value: unknown, place: string, lines: string[]) => void;

/** Most lines that one check collects. */
const LINES_MAX = 20;

/** A value of which a predicate holds; `expected` is what a line says. */
export function isA(expected: string, holds: (value: unknown) => boolean): ValueCheck {
  return (value, place, lines) => {
    if (!holds(value) && lines.length < LINES_MAX) lines.push(`${place || "the whole"}: expected ${expected}`);
  };
}

export const TEXT: ValueCheck = isA("a text", (value) => typeof value === "string");
export const BOOLEAN: ValueCheck = isA("true or false", (value) => typeof value === "boolean");
/** 0 or more, countable. */
export const COUNT: ValueCheck = isA(
  "a whole number from 0",
  (value) => Number.isSafeInteger(value) && Number(value) >= 0,
);
/** 1 or more, countable. */
export const POSITIVE: ValueCheck = isA(
  "a whole number from 1",
  (value) => Number.isSafeInteger(value) && Number(value) > 0,
);
export const BYTE: ValueCheck = isA(
  "a number from 0 to 255",
  (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) < 256,
);

/** A text that a parser takes without throwing SyntaxError or RangeError, in the very spelling that it answers. */
export function textThat(expected: string, parse: (text: string) => string): ValueCheck {
  return isA(expected, (value) => {
    if (typeof value !== "string") return false;
    try {
      return parse(value) === value;
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof RangeError) return false;
      throw error;
    }
  });
}

/** One of these texts. */
export function oneOf(...texts: readonly string[]): ValueCheck {
  return isA(`one of ${texts.join(", ")}`, (value) => texts.some((text) => text === value));
}

/** An array whose items all fit. */
export function listOf(item: ValueCheck): ValueCheck {
  return (value, place, lines) => {
    if (!Array.isArray(value)) return isA("a list", () => false)(value, place, lines);
    for (let at = 0; at < value.length && lines.length < LINES_MAX; at++) item(value[at], `${place}/${at}`, lines);
  };
}

/** An object with any keys whose values all fit. */
export function mapOf(item: ValueCheck): ValueCheck {
  return (value, place, lines) => {
    if (!isObject(value)) return isA("an object", () => false)(value, place, lines);
    for (const key of Object.keys(value)) item(value[key], `${place}/${key}`, lines);
  };
}

/** An object with these keys; those of `optional` may be missing, and any others are let pass. */
export function objectOf(
  required: Readonly<Record<string, ValueCheck>>,
  optional: Readonly<Record<string, ValueCheck>> = {},
): ValueCheck {
  const needed = Object.entries(required);
  const allowed = Object.entries(optional);
  return (value, place, lines) => {
    if (!isObject(value)) return isA("an object", () => false)(value, place, lines);
    for (const [key, check] of needed)
      check(Object.hasOwn(value, key) ? value[key] : undefined, `${place}/${key}`, lines);
    for (const [key, check] of allowed) if (Object.hasOwn(value, key)) check(value[key], `${place}/${key}`, lines);
  };
}

/** An object told apart by the text of one key. */
export function taggedBy(key: string, branches: Readonly<Record<string, ValueCheck>>): ValueCheck {
  const tag = oneOf(...Object.keys(branches));
  return (value, place, lines) => {
    if (!isObject(value)) return isA("an object", () => false)(value, place, lines);
    const name = value[key];
    const branch = typeof name === "string" && Object.hasOwn(branches, name) ? branches[name] : undefined;
    if (branch === undefined) tag(name, `${place}/${key}`, lines);
    else branch(value, place, lines);
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
