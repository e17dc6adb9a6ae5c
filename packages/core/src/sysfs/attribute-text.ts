// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "../device/quoted-text.ts";

/** The longest attribute text: one page of sysfs, and the PATH_MAX of `migration_version` (D29). Bytes, LF left out. */
export const ATTRIBUTE_MAX = 4096;
/** What is left of a longer text: a page without the byte that sysfs keeps for its NUL. */
const CUT_AT = 4095;

/** Takes one trailing LF off, and no more: a second one belongs to the value. */
export function stripNewline(raw: string): string {
  return raw.endsWith("\n") ? raw.slice(0, -1) : raw;
}

/**
 * Reads the text of an attribute: printable ASCII with TAB and LF inside, at most 4096 bytes, one trailing LF taken off.
 * Empty text is legal. Throws SyntaxError for anything else, NUL and CR included (D29).
 */
export function parseAttributeText(raw: string): string {
  return checkText(raw, "attribute");
}

/**
 * Reads the text of an attribute that is one line: as `parseAttributeText`, without TAB and inner LF.
 * `name` is what the message calls the attribute. Throws SyntaxError.
 */
export function parseLine(raw: string, name: string): string {
  const text = checkText(raw, name);
  if (/^[ -~]*$/.test(text)) return text;
  throw new SyntaxError(`Cannot parse ${name}: expected one line without TAB, got ${quoteText(text)}`);
}

/**
 * Reads the text of an attribute that lists things: as `parseAttributeText`, without TAB and short of one page.
 * sysfs cuts a longer list off at the end of the page and says nothing (kernel: fs/sysfs/file.c), so that a text which
 * fills the page may lack items. Throws SyntaxError.
 */
export function parseListText(raw: string, name: string): string {
  const text = checkText(raw, name);
  if (text.includes("\t")) {
    throw new SyntaxError(`Cannot parse ${name}: expected printable ASCII without TAB, got ${quoteText(text)}`);
  }
  if (text.length < CUT_AT) return text;
  throw new SyntaxError(
    `Cannot parse ${name}: expected less than a page, which may be cut off, got ${quoteText(text)}`,
  );
}

function checkText(raw: string, name: string): string {
  const text = stripNewline(raw);
  if (text.length > ATTRIBUTE_MAX) {
    throw new SyntaxError(`Cannot parse ${name}: expected at most ${ATTRIBUTE_MAX} bytes, got ${quoteText(text)}`);
  }
  if (/^[\t\n -~]*$/.test(text)) return text;
  throw new SyntaxError(`Cannot parse ${name}: expected printable ASCII, got ${quoteText(text)}`);
}
