// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "../device/quoted-text.ts";
import { checkPeerText } from "./peer-text.ts";

/**
 * Splits `key=value` pairs, one a line (P7) or several with blanks between them (P6); blanks inside quotes separate
 * nothing. Keys stand once and keep their order; values keep their quotes. `#` begins no comment.
 * Throws SyntaxError, or RangeError where the text is longer than 4094 characters. `what` names the text in messages.
 */
export function parsePairs(text: string, what: string): ReadonlyMap<string, string> {
  checkPeerText(text, what);
  const pair = /[ \t\n]*([^ \t\n="{}]+)=((?:"[^"\n]*"|[^ \t\n"])*)/y;
  const pairs = new Map<string, string>();
  const end = text.trimEnd().length;
  for (let at = 0; at < end; at = pair.lastIndex) {
    pair.lastIndex = at;
    const match = pair.exec(text);
    if (match === null) {
      throw new SyntaxError(`Cannot parse ${what}: expected key=value, got ${quoteText(text.slice(at).trim())}`);
    }
    const [, key = "", value = ""] = match;
    if (pairs.has(key)) throw new SyntaxError(`Cannot parse ${what}: ${quoteText(key)} stands twice`);
    pairs.set(key, value);
  }
  return pairs;
}
