// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "./quoted-text.ts";

/** An exact fraction in lowest terms; the denominator is positive. Nothing is ever rounded (D4). */
export interface Rational {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

const POSITIVE = /^(\d{1,18})(?:\/(\d{1,18}))?$/;

/** The fraction of two integers, reduced. Throws RangeError where the denominator is 0. */
export function rationalOf(numerator: bigint, denominator: bigint = 1n): Rational {
  if (denominator === 0n) throw new RangeError(`Cannot divide ${numerator} by 0`);
  const divisor = greatestCommonDivisor(numerator, denominator) * (denominator < 0n ? -1n : 1n);
  return { numerator: numerator / divisor, denominator: denominator / divisor };
}

/**
 * Reads `n` or `n/d`, decimal, at most 18 digits each, both positive. `what` names the value in the message.
 * Throws SyntaxError that quotes the text.
 */
export function parseRational(text: string, what: string): Rational {
  const match = POSITIVE.exec(text);
  const numerator = BigInt(match?.[1] ?? 0);
  const denominator = BigInt(match?.[2] ?? 1);
  if (match === null || numerator === 0n || denominator === 0n) {
    throw new SyntaxError(`Cannot parse ${what}: expected n or n/d, both positive, got ${quoteText(text)}`);
  }
  return rationalOf(numerator, denominator);
}

/** Writes `n` for an integer, else `n/d`. */
export function formatRational({ numerator, denominator }: Rational): string {
  return denominator === 1n ? String(numerator) : `${numerator}/${denominator}`;
}

/** The exact product. */
export function multiplyRationals(left: Rational, right: Rational): Rational {
  return rationalOf(left.numerator * right.numerator, left.denominator * right.denominator);
}

/** Whether two fractions are exactly the same number. */
export function isEqualRational(left: Rational, right: Rational): boolean {
  return left.numerator * right.denominator === right.numerator * left.denominator;
}

/** Whether a fraction is a whole number. */
export function isIntegerRational({ numerator, denominator }: Rational): boolean {
  return numerator % denominator === 0n;
}

/** Positive: the denominator of a fraction is never 0. */
function greatestCommonDivisor(left: bigint, right: bigint): bigint {
  let [a, b] = [left, right];
  while (b !== 0n) [a, b] = [b, a % b];
  return a < 0n ? -a : a;
}
