// SPDX-License-Identifier: Apache-2.0

import { isEqualRational, multiplyRationals, parseRational, rationalOf, type Rational } from "../device/rational.ts";

/** So many devices of so many units each. */
export interface Amount {
  readonly units: Rational;
  /** A safe integer. */
  readonly count: number;
}

/** Reads `n` or `n/d`, decimal, both positive (D4). Throws SyntaxError that quotes the text. */
export function parseRatio(text: string): Rational {
  return parseRational(text, "units");
}

/** Whether two amounts are exactly the same number of units. Nothing is rounded. */
export function hasEqualUnits(left: Amount, right: Amount): boolean {
  return isEqualRational(totalOf(left), totalOf(right));
}

function totalOf({ units, count }: Amount): Rational {
  return multiplyRationals(units, rationalOf(BigInt(count)));
}
