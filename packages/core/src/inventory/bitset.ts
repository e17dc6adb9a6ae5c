// SPDX-License-Identifier: Apache-2.0

/** A growing set of small non-negative integers, 32 to a word. Changed in place. */
export interface Bitset {
  words: Uint32Array;
}

/** An empty set with space for integers below `capacity`; it grows when a larger one is added. */
export function createBitset(capacity: number): Bitset {
  return { words: new Uint32Array((capacity + 31) >>> 5) };
}

/** A set of the given integers. Throws RangeError for anything that is not an integer from 0 to 2^32 - 1. */
export function bitsetOf(members: Iterable<number>): Bitset {
  const set = createBitset(0);
  for (const member of members) addBit(set, member);
  return set;
}

/** Whether the set holds an integer; false for any integer beyond what it has space for. */
export function hasBit(set: Bitset, member: number): boolean {
  return (((set.words[member >>> 5] ?? 0) >>> (member & 31)) & 1) === 1;
}

/** Adds an integer; adding it again changes nothing. Throws RangeError as `bitsetOf` does. */
export function addBit(set: Bitset, member: number): void {
  if (member >>> 0 !== member) throw new RangeError(`Cannot add to bitset: expected an integer from 0, got ${member}`);
  const word = member >>> 5;
  if (word >= set.words.length) {
    const wider = new Uint32Array(Math.max(word + 1, set.words.length * 2));
    wider.set(set.words);
    set.words = wider;
  }
  set.words[word] = (set.words[word] ?? 0) | (1 << (member & 31));
}

/** Removes an integer; removing one that is not there changes nothing. */
export function removeBit(set: Bitset, member: number): void {
  const word = member >>> 5;
  if (word < set.words.length) set.words[word] = (set.words[word] ?? 0) & ~(1 << (member & 31));
}

/** How many integers the set holds. */
export function countBits(set: Bitset): number {
  let count = 0;
  for (const word of set.words) count += countOnes(word);
  return count;
}

/** The smallest member that is at least `from`, or -1. */
export function nextBit(set: Bitset, from: number): number {
  let word = from >>> 5;
  let rest = (set.words[word] ?? 0) & (-1 << (from & 31));
  while (rest === 0) {
    word += 1;
    if (word >= set.words.length) return -1;
    rest = set.words[word] ?? 0;
  }
  return word * 32 + (31 - Math.clz32(rest & -rest));
}

/** Whether every member of `inner` is a member of `outer`. */
export function isSubset(inner: Bitset, outer: Bitset): boolean {
  return inner.words.every((word, index) => (word & ~(outer.words[index] ?? 0)) === 0);
}

/** Sums bits in pairs, nibbles and bytes at once, then adds the four bytes by one multiplication. */
function countOnes(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
