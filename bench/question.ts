// SPDX-License-Identifier: Apache-2.0

import { MOST_FREE, type Kind, type MadeUpFleet } from "./made-up-fleet.ts";
import type { SeededNumbers } from "./seeded-numbers.ts";

/** One random question, in the terms of every implementation that is compared. */
export interface Question {
  readonly source: Kind;
  readonly atLeastFree: number;
  readonly order: "pack" | "spread";
  readonly exceptHost: number;
}

/** Most places wanted. */
export const LIMIT = 10;

/** Deals so many questions. */
export function dealQuestions(fleet: MadeUpFleet, numbers: SeededNumbers, count: number): readonly Question[] {
  return Array.from({ length: count }, () => ({
    source: fleet.kinds[numbers.below(fleet.kinds.length)]!,
    atLeastFree: 1 + numbers.below(MOST_FREE),
    order: numbers.below(2) === 0 ? "pack" : "spread",
    exceptHost: numbers.below(fleet.hosts),
  }));
}

/** Writes an answer so that two can be compared. */
export function answerText(places: readonly { readonly host: string; readonly name: string }[]): string {
  return places.map(({ host, name }) => `${host}:${name}`).join(" ");
}
