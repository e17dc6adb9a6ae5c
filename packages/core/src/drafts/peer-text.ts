// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "../device/quoted-text.ts";

/**
 * The longest text that a draft's parser reads, in characters. A page of sysfs holds 4095 and cuts longer texts off
 * without a word: one that fills it may be the start of another, and `2.0.0-2.0.4` cut short is the open `2.0.0-` (D29).
 */
export const PEER_TEXT_MAX = 4094;

/**
 * Refuses a peer's text that no attribute would hold (D29): RangeError where it is longer than 4094 characters,
 * SyntaxError where it holds anything but printable ASCII, tabs and line feeds. `what` names the text in the message.
 */
export function checkPeerText(text: string, what: string): void {
  if (text.length > PEER_TEXT_MAX) {
    throw new RangeError(`Cannot parse ${what}: expected at most ${PEER_TEXT_MAX} characters, got ${text.length}`);
  }
  if (!/^[\t\n -~]*$/.test(text)) {
    throw new SyntaxError(`Cannot parse ${what}: expected printable ASCII, got ${quoteText(text)}`);
  }
}
