// SPDX-License-Identifier: Apache-2.0

import { widenUint32 } from "./typed-column.ts";

/** Most names of one chunk. A rank is the chunk's number times this, plus the place in the chunk. */
const CHUNK = 1024;

/**
 * Names with small numbers (ordinals, in order of arrival) and ranks: of two names the one that sorts first by code unit
 * has the smaller rank. Ranks change as names arrive, their order does not: whatever is kept sorted by rank stays sorted.
 *
 * Names are never taken out: a host that leaves and comes back keeps its ordinal.
 */
export interface OrderedNames {
  readonly ordinals: Map<string, number>;
  readonly texts: string[];
  /** By ordinal. */
  ranks: Uint32Array;
  /** Ordinals sorted by name, cut into chunks so that an insertion moves few of them. */
  readonly chunks: number[][];
}

/** No names. */
export function createOrderedNames(): OrderedNames {
  return { ordinals: new Map(), texts: [], ranks: new Uint32Array(0), chunks: [[]] };
}

/**
 * The ordinal of a name, a new one where it has not been seen. A new name costs a binary search and at most 1024
 * renumbered neighbours; once in 512 arrivals at least all names behind it.
 */
export function internName(names: OrderedNames, name: string): number {
  const seen = names.ordinals.get(name);
  if (seen !== undefined) return seen;
  const ordinal = names.texts.length;
  names.texts.push(name);
  names.ordinals.set(name, ordinal);
  names.ranks = widenUint32(names.ranks, ordinal + 1);
  const at = findChunk(names, name);
  const chunk = names.chunks[at] ?? [];
  const position = findPosition(names, chunk, name);
  if (position === chunk.length) chunk.push(ordinal);
  else chunk.splice(position, 0, ordinal);
  if (chunk.length < CHUNK) {
    numberChunk(names, at, position);
    return ordinal;
  }
  names.chunks.splice(at + 1, 0, chunk.splice(CHUNK / 2));
  for (let later = at; later < names.chunks.length; later += 1) numberChunk(names, later, 0);
  return ordinal;
}

/** The last chunk whose first name does not sort after `name`, or the first chunk. */
function findChunk(names: OrderedNames, name: string): number {
  let low = 0;
  let high = names.chunks.length;
  while (low + 1 < high) {
    const middle = (low + high) >>> 1;
    const first = names.chunks[middle]?.[0] ?? 0;
    if ((names.texts[first] ?? "") <= name) low = middle;
    else high = middle;
  }
  return low;
}

function findPosition(names: OrderedNames, chunk: readonly number[], name: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((names.texts[chunk[middle] ?? 0] ?? "") < name) low = middle + 1;
    else high = middle;
  }
  return low;
}

function numberChunk(names: OrderedNames, at: number, from: number): void {
  const chunk = names.chunks[at] ?? [];
  const { ranks } = names;
  for (let index = from; index < chunk.length; index += 1) ranks[chunk[index] ?? 0] = at * CHUNK + index;
}
