// SPDX-License-Identifier: Apache-2.0

/**
 * Whether a text is one of the names of a pack's list: equal without regard to ASCII case and outer white space, or, for
 * a name that ends in `*`, beginning with the rest of it.
 */
export function isNamed(text: string, names: readonly string[]): boolean {
  const wanted = foldCase(text.trim());
  return names.some((name) => {
    const folded = foldCase(name);
    return folded.endsWith("*") ? wanted.startsWith(folded.slice(0, -1)) : wanted === folded;
  });
}

/** Lowers A to Z and nothing else: other letters have no place in a fact, and must not come to equal one that has. */
export function foldCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Splits a fact that is a list: items between commas or white space, empty ones dropped (section 5.1 of the interface). */
export function splitItems(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((item) => item !== "");
}
