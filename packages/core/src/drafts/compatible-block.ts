// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "../device/quoted-text.ts";
import { parsePairs } from "./pairs.ts";
import { checkPeerText } from "./peer-text.ts";
import { formatTemplate, parseTemplate, type Template, type Variable } from "./template.ts";

/** One COMPATIBLE object: what a device that may come in has to say of itself, in every field. */
export interface Block {
  /** By key, in the order of the text. */
  readonly fields: ReadonlyMap<string, Template>;
  /** By name, in the order of their first appearance; every variable that a field uses is here. */
  readonly variables: ReadonlyMap<string, Variable>;
}

/** What the attribute of one device says: itself, and the objects that it accepts. */
export interface MigrationCompatible {
  readonly self: ReadonlyMap<string, string>;
  readonly compatible: readonly Block[];
}

/**
 * Reads one COMPATIBLE object without its heading: `key=value` lines (P7) or pairs with blanks between them (P6).
 * Throws SyntaxError, or RangeError where the text is longer than 4094 characters.
 */
export function parseCompatibleBlock(text: string): Block {
  const variables = new Map<string, Variable>();
  const fields = new Map<string, Template>();
  for (const [key, value] of parsePairs(text, "a COMPATIBLE block")) fields.set(key, parseTemplate(value, variables));
  if (fields.size === 0) throw new SyntaxError("Cannot parse a COMPATIBLE block: expected key=value, got nothing");
  return { fields, variables };
}

/** Writes a block as P7 does, one field a line, each ended by a line feed. */
export function formatCompatibleBlock(block: Block): string {
  return [...block.fields].map(([key, value]) => `${key}=${formatTemplate(value, block.variables)}\n`).join("");
}

/**
 * Reads what a device says of itself: as a block, without templates. Quotes are taken off.
 * Throws SyntaxError, or RangeError where the text is longer than 4094 characters.
 */
export function parseSelf(text: string): ReadonlyMap<string, string> {
  const self = new Map<string, string>();
  for (const [key, value] of parsePairs(text, "a SELF block")) {
    const [part, ...more] = parseTemplate(value, new Map());
    if ((part !== undefined && part.kind !== "literal") || more.length > 0) {
      throw new SyntaxError(`Cannot parse a SELF block: expected no template, got ${quoteText(value)}`);
    }
    self.set(key, part?.text ?? "");
  }
  if (self.size === 0) throw new SyntaxError("Cannot parse a SELF block: expected key=value, got nothing");
  return self;
}

/**
 * Reads a whole `migration_compatible` (P6): `SELF:` and its pairs, then any number of `COMPATIBLE:` with theirs.
 * Throws SyntaxError, or RangeError where the text is longer than 4094 characters.
 */
export function parseMigrationCompatible(text: string): MigrationCompatible {
  checkPeerText(text, "migration_compatible");
  const [before = "", heading, self = "", ...rest] = text.split(/(?<![^ \t\n])(SELF|COMPATIBLE):(?![^ \t\n])/);
  if (before.trim() !== "" || heading !== "SELF") {
    throw new SyntaxError(`Cannot parse migration_compatible: expected SELF: first, got ${quoteText(text)}`);
  }
  const headings = rest.filter((_, index) => index % 2 === 0);
  if (headings.includes("SELF")) throw new SyntaxError("Cannot parse migration_compatible: SELF: stands twice");
  const blocks = rest.filter((_, index) => index % 2 === 1);
  return { self: parseSelf(self), compatible: blocks.map(parseCompatibleBlock) };
}
