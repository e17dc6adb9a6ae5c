// SPDX-License-Identifier: Apache-2.0

/** Keys with a meaning of their own in a shape. A key of the data that starts with `$` is written with one more. */
export const HOLE_KEY = "$";
/** Digest of a shape that stands here, with `from`: the number of its first hole. */
export const SHAPE_KEY = "$shape";
/** How the raw text of a reading is told from its value, or that it stays on the host. */
export const TEXT_KEY = "$text";
/** The number of the hole that is filled with the host's name. */
export const HOST_HOLE = -1;

/** Ways in which a reading's text follows from its value: the same; after a head, such as a link's; of its count. */
export type TextForm = "value" | "tail" | "count" | "host";

/** Writes a key of the data. `__proto__` is escaped too, because it is no key of a JSON document here. */
export function escapeKey(key: string): string {
  return key.startsWith("$") || key === "__proto__" ? `$${key}` : key;
}

/** Reads what escapeKey wrote. */
export function unescapeKey(key: string): string {
  return key.startsWith("$") ? key.slice(1) : key;
}

/**
 * Makes the function that writes `$0` to `$9` for the record's own names, at most ten, wherever they stand in a text, and `$$` for a
 * dollar sign. The longest name goes first; an empty name is none.
 */
export function makeTokenizer(tokens: readonly string[]): (text: string) => string {
  const numbers = new Map<string, string>([["$", "$$"]]);
  tokens.forEach((token, index) => {
    if (token !== "" && !numbers.has(token)) numbers.set(token, `$${index}`);
  });
  const longestFirst = [...numbers.keys()].sort((left, right) => right.length - left.length);
  const pattern = new RegExp(longestFirst.map(escapePattern).join("|"), "g");
  return (text) => text.replace(pattern, (found) => numbers.get(found) ?? found);
}

/**
 * Reads what a tokenizer wrote, as pieces: texts, and the numbers of names. Throws SyntaxError for a mark that names
 * nothing.
 */
export function parseTokens(text: string): readonly (string | number)[] {
  const pieces: (string | number)[] = [];
  let plain = "";
  for (let at = 0; at < text.length;) {
    const mark = text.indexOf("$", at);
    plain += text.slice(at, mark < 0 ? text.length : mark);
    if (mark < 0) break;
    const name = text[mark + 1] ?? "";
    if (name === "$") plain += name;
    else if (/^\d$/.test(name)) {
      if (plain !== "") pieces.push(plain);
      pieces.push(Number(name));
      plain = "";
    } else throw new SyntaxError(`Cannot read a shape: ${JSON.stringify(`$${name}`)} names nothing`);
    at = mark + 2;
  }
  return plain === "" && pieces.length > 0 ? pieces : [...pieces, plain];
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}
