// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "@berth/core/device/quoted-text";

/** The facts of one script that can be believed, and a sentence about each thing that cannot. */
export interface ParsedFacts {
  readonly facts: ReadonlyMap<string, string>;
  readonly wrong: readonly string[];
}

const NAME = /^[a-z][a-z0-9_]*(?:[.-][a-z0-9_]+)*$/;
const NAME_MAX = 100;
const VALUE_MAX = 1024;
const FACTS_MAX = 256;
const WRONG_MAX = 8;

/**
 * Reads what a script wrote: one JSON object, names to texts, numbers or true and false. Names are lower case, with `_`
 * inside words and `.` or `-` between them. What is no fact is left out and told of; so is a text that is no object.
 */
export function parseFacts(text: string): ParsedFacts {
  const object = parseObject(text);
  if (object === undefined) {
    return { facts: new Map(), wrong: [`Expected one JSON object, got ${quoteText(text.trim())}`] };
  }
  const facts = new Map<string, string>();
  const wrong: string[] = [];
  const entries = Object.entries(object);
  for (const [name, value] of entries.slice(0, FACTS_MAX)) {
    const fault = findFault(name, value);
    if (fault === undefined) facts.set(name, String(value));
    else wrong.push(fault);
  }
  if (entries.length > FACTS_MAX) wrong.push(`Only the first ${FACTS_MAX} of ${entries.length} facts are taken`);
  const rest = wrong.length - WRONG_MAX;
  return { facts, wrong: rest > 0 ? [...wrong.slice(0, WRONG_MAX), `${rest} more facts are left out`] : wrong };
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function findFault(name: string, value: unknown): string | undefined {
  if (name.length > NAME_MAX || !NAME.test(name)) return `${quoteText(name)} is no name of a fact`;
  if (typeof value === "number" || typeof value === "boolean") return undefined;
  if (typeof value !== "string") return `${name}: expected a text, a number, true or false`;
  if (value.length > VALUE_MAX) return `${name}: the text is longer than ${VALUE_MAX} characters`;
  return /[\p{Cc}\p{Cs}]/u.test(value) ? `${name}: the text is not printable: ${quoteText(value)}` : undefined;
}
