// SPDX-License-Identifier: Apache-2.0

/** 32 bits that depend on a text alone (FNV-1a): names that look random and are the same on every run. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash;
}

/** The hash as `digits` hexadecimal digits in lower case, as many rounds as that takes. */
export function formatHash(text: string, digits: number): string {
  let formatted = "";
  for (let round = 0; formatted.length < digits; round += 1) {
    formatted += hashText(`${round} ${text}`).toString(16).padStart(8, "0");
  }
  return formatted.slice(0, digits);
}
