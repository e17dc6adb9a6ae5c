// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "../device/quoted-text.ts";
import { parseListText } from "./attribute-text.ts";

/** An ellipsis in the samples of the proposal, not an item. */
const ELLIPSIS = "...";

/**
 * Reads a list attribute such as `compatible_pci_ids` or `dynamic_resources` (section 5.1): items of visible ASCII,
 * separated by commas, LF or spaces. Empty items, a literal `...` and duplicates are dropped, the order is kept.
 * Text of only white space is an empty list. Throws SyntaxError, for TAB too, which the grammar does not know, and for
 * a text that fills a page and may be cut off.
 */
export function parseList(raw: string): readonly string[] {
  const text = parseListText(raw, "list");
  return [...new Set(text.split(/[ ,\n]+/).filter((item) => item !== "" && item !== ELLIPSIS))];
}

/** Writes a list separated by commas, with a trailing LF. Throws SyntaxError for an item that could not be read back. */
export function formatList(items: readonly string[]): string {
  for (const item of items) {
    if (/^[!-+\--~]+$/.test(item) && item !== ELLIPSIS) continue;
    throw new SyntaxError(`Cannot write list: expected visible ASCII without a comma, got ${quoteText(item)}`);
  }
  return `${[...new Set(items)].join(",")}\n`;
}

/**
 * Reads a list whose items are known to be hexadecimal ids, such as `compatible_pci_ids` and `compatible_chpid_type`:
 * as `parseList`, items in lower case and a leading `0x` taken off. Throws SyntaxError.
 */
export function parseIdList(raw: string): readonly string[] {
  const ids = parseList(raw).map((item) => item.toLowerCase().replace(/^0x/, ""));
  if (!ids.includes("")) return [...new Set(ids)];
  throw new SyntaxError(`Cannot parse list of ids: expected digits after 0x, got ${quoteText(raw)}`);
}
