// SPDX-License-Identifier: Apache-2.0

import { SCORES } from "@berth/core/inventory/place-table";
import type { Damage } from "@berth/core/placement/rank";

/**
 * Gives each distinct damage a number of 16 bits so that the numbers stand to each other as the damages do: fewer blocked
 * types first, then fewer lost devices. The index orders places by these numbers alone.
 */
export interface DamageLabels {
  /** Sorted by damage. */
  readonly known: LabelledDamage[];
  readonly byKey: Map<string, LabelledDamage>;
}

interface LabelledDamage {
  readonly blocked: number;
  readonly lost: number;
  label: number;
}

/** No damage met yet. */
export function createDamageLabels(): DamageLabels {
  return { known: [], byKey: new Map() };
}

/** What became of the labels: `moved` where others had to make way, so that all numbers are to be asked for again. */
export type Labelled = { readonly label: number; readonly moved: boolean } | { readonly label: undefined };

/** The number of a damage, a new one where it was not met; undefined where all numbers are given. */
export function labelDamage(labels: DamageLabels, { blocked, lost }: Damage): Labelled {
  const key = `${blocked} ${lost}`;
  const seen = labels.byKey.get(key);
  if (seen !== undefined) return { label: seen.label, moved: false };
  if (labels.known.length >= SCORES) return { label: undefined };
  const at = findPosition(labels.known, blocked, lost);
  const below = labels.known[at - 1]?.label ?? -1;
  const above = labels.known[at]?.label ?? SCORES;
  const one = { blocked, lost, label: Math.floor((below + above) / 2) };
  labels.known.splice(at, 0, one);
  labels.byKey.set(key, one);
  if (one.label > below && one.label < above) return { label: one.label, moved: false };
  spread(labels.known);
  return { label: one.label, moved: true };
}

function findPosition(known: readonly LabelledDamage[], blocked: number, lost: number): number {
  const at = known.findIndex((one) => one.blocked > blocked || (one.blocked === blocked && one.lost > lost));
  return at < 0 ? known.length : at;
}

function spread(known: readonly LabelledDamage[]): void {
  for (const [at, one] of known.entries()) one.label = Math.floor(((at + 0.5) * SCORES) / known.length);
}
