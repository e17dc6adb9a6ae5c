// SPDX-License-Identifier: Apache-2.0

import { hasEqualText } from "../compatibility/rules/dynamic-value.ts";

/** D7: whether an attribute's text shows a value: as text after trimming, as integers where both are. */
export function isShown(value: string, text: string): boolean {
  return hasEqualText(value, text);
}
