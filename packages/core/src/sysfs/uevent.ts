// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "../device/quoted-text.ts";
import { parseAttributeText } from "./attribute-text.ts";

/**
 * Reads a `uevent` file: lines `KEY=value`, such as `DRIVER=vfio-pci` and `PCI_SLOT_NAME=0000:00:10.0`. Values may be
 * empty and may hold `=`. Throws SyntaxError for any other line and where one key has two values.
 */
export function parseUevent(raw: string): ReadonlyMap<string, string> {
  const text = parseAttributeText(raw);
  const pairs = new Map<string, string>();
  for (const line of text === "" ? [] : text.split("\n")) {
    const [, key, value] = /^([!-<>-~]+)=([ -~]*)$/.exec(line) ?? [];
    if (key === undefined || value === undefined) {
      throw new SyntaxError(`Cannot parse uevent: expected KEY=value, got ${quoteText(line)}`);
    }
    if ((pairs.get(key) ?? value) !== value) {
      throw new SyntaxError(`Cannot parse uevent: expected one value of ${quoteText(key)}, got ${quoteText(text)}`);
    }
    pairs.set(key, value);
  }
  return pairs;
}
