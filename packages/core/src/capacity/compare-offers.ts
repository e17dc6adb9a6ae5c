// SPDX-License-Identifier: Apache-2.0

import { askOf } from "./ask.ts";
import { devicesLeft, lawRoom } from "./law.ts";
import type { Disagreement, Pool, Room } from "./pool.ts";

/** One type at one parent, where the host's word lies outside what the law computes. */
export interface Difference {
  readonly parent: string;
  readonly type: string;
  readonly word: number;
  readonly law: Room;
}

/**
 * Compares every `available_instances` of a pool with what its law computes from the devices that exist. Laws that do not
 * predict that number are not compared: units are counted, not devices, and an unbounded pool promises nothing.
 */
export function compareOffers(pool: Pool): readonly Difference[] {
  if (pool.law.kind === "units" || pool.law.kind === "unbounded" || pool.law.kind === "unknown") return [];
  return pool.offers.flatMap(({ parent, type, available }) => {
    if (available === undefined) return [];
    const law = lawAt(pool, parent, type);
    return available < law.atLeast || available > law.atMost ? [{ parent, type, word: available, law }] : [];
  });
}

/** In which direction words and law differ; undefined where they agree. */
export function disagreementOf(differences: readonly Difference[]): Disagreement | undefined {
  if (differences.length === 0) return undefined;
  return {
    above: differences.some(({ word, law }) => word > law.atMost),
    below: differences.some(({ word, law }) => word < law.atLeast),
  };
}

/** What the law alone leaves for one type at one parent. */
export function lawAt(pool: Pool, parent: string, type: string): Room {
  const ask = askOf(pool, { type, parent });
  const law = lawRoom(pool, ask);
  const devices = devicesLeft(pool, parent, ask);
  return { atLeast: Math.min(law.atLeast, devices), atMost: Math.min(law.atMost, devices) };
}
