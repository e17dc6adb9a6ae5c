// SPDX-License-Identifier: Apache-2.0

/** How much of an offending text a message repeats. */
const QUOTED_MAX = 80;

/**
 * Quotes a text for a message: at most 80 characters of it, an ellipsis where it was longer, and everything that is not
 * printable ASCII escaped, so that hostile text cannot steer the terminal or the page that shows the message.
 */
export function quoteText(text: string): string {
  const start = text.length > QUOTED_MAX ? `${text.slice(0, QUOTED_MAX)}...` : text;
  return JSON.stringify(start).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
