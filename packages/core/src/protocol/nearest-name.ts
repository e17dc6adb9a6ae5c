// SPDX-License-Identifier: Apache-2.0

/** Longest name that is compared: longer ones are no typing errors. */
const LONGEST = 64;

/**
 * The name of a list that a mistyped one most likely means, for "did you mean": the one at the least number of typing
 * errors, at most a third of its length; undefined where none is near. Equal distances: the first of the list.
 */
export function findNearestName(name: string, names: readonly string[]): string | undefined {
  if (name.length > LONGEST) return undefined;
  const wanted = name.toLowerCase();
  let nearest: { readonly name: string; readonly distance: number } | undefined;
  for (const candidate of names) {
    const allowed = Math.max(1, Math.floor(candidate.length / 3));
    const distance = countTypingErrors(wanted, candidate.toLowerCase());
    if (distance <= allowed && distance < (nearest?.distance ?? Infinity)) nearest = { name: candidate, distance };
  }
  return nearest?.name;
}

/** Least number of letters to insert, remove or replace (Levenshtein), row by row. */
function countTypingErrors(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let at = 1; at <= left.length; at++) {
    const next = [at];
    for (let to = 1; to <= right.length; to++) {
      const replaced = (row[to - 1] ?? 0) + (left[at - 1] === right[to - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[to] ?? 0) + 1, (next[to - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
