// SPDX-License-Identifier: Apache-2.0

/** An exact fraction; both parts are positive. */
export interface Ratio {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** So many devices of so many units each. */
export interface Amount {
  readonly units: Ratio;
  /** A safe integer. */
  readonly count: number;
}

const RATIO = /^(\d{1,18})(?:\/(\d{1,18}))?$/;

/** Reads `n` or `n/d`, decimal, both positive (D4). Throws SyntaxError that quotes the text. */
export function parseRatio(text: string): Ratio {
  const match = RATIO.exec(text);
  const numerator = BigInt(match?.[1] ?? 0);
  const denominator = BigInt(match?.[2] ?? 1);
  if (match === null || numerator === 0n || denominator === 0n) {
    throw new SyntaxError(
      `Cannot parse units: expected n or n/d, both positive, got ${JSON.stringify(text.slice(0, 80))}`,
    );
  }
  return { numerator, denominator };
}

/** Whether two amounts are exactly the same number of units. Nothing is rounded. */
export function hasEqualUnits(left: Amount, right: Amount): boolean {
  const leftTotal = left.units.numerator * BigInt(left.count) * right.units.denominator;
  const rightTotal = right.units.numerator * BigInt(right.count) * left.units.denominator;
  return leftTotal === rightTotal;
}
