// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "../device/quoted-text.ts";
import { formatRational, isIntegerRational, parseRational, rationalOf, type Rational } from "../device/rational.ts";
import { parseSelf } from "./compatible-block.ts";

/** What one device would export under P12: the type that its partitions are cut from, and how they are counted. */
export interface BaseType {
  readonly baseType: string;
  /** Positive. */
  readonly aggregationRatio: bigint;
}

/** A device as its driver makes it: so many instances of its type fill the parent, and it has so many of them. */
export interface Partition {
  readonly baseType: string;
  /** Stated by whoever knows the driver; no number is taken out of a type name (D3). Positive. */
  readonly instances: bigint;
  /** Positive. */
  readonly aggregator: bigint;
}

/** Whether two devices would be called compatible under P12. */
export type BaseTypeAnswer =
  | { readonly kind: "accepted" }
  | { readonly kind: "refused"; readonly why: readonly [BaseTypeReason, ...BaseTypeReason[]] };

/** One of the two values that have to be equal and are not. */
export interface BaseTypeReason {
  readonly code: "base_type" | "aggregation_ratio";
  readonly text: string;
}

/**
 * Reads `base_type=` and `aggregation_ratio=`, one a line (P12, seed 004).
 * Throws SyntaxError; RangeError where the ratio is a fraction: the draft has an integer there.
 */
export function parseBaseType(text: string): BaseType {
  const pairs = parseSelf(text);
  const baseType = pairs.get("base_type");
  const ratio = pairs.get("aggregation_ratio");
  if (baseType === undefined || baseType === "" || ratio === undefined || pairs.size !== 2) {
    throw new SyntaxError(`Cannot parse base_type: expected base_type= and aggregation_ratio=, got ${quoteText(text)}`);
  }
  const parsed = parseRational(ratio, "aggregation_ratio");
  if (ratio.includes("/")) throw new RangeError(`An aggregation_ratio is an integer, not ${ratio}`);
  return { baseType, aggregationRatio: parsed.numerator };
}

/** Writes both values, one a line. */
export function formatBaseType({ baseType, aggregationRatio }: BaseType): string {
  return `base_type=${/[ \t]/.test(baseType) ? `"${baseType}"` : baseType}\naggregation_ratio=${aggregationRatio}\n`;
}

/** The ratio of partitioning to aggregator: instances over aggregator. Throws RangeError where one is not positive. */
export function ratioOf({ instances, aggregator }: Partition): Rational {
  if (instances <= 0n || aggregator <= 0n) {
    throw new RangeError(`Expected positive numbers of instances and units, got ${instances} and ${aggregator}`);
  }
  return rationalOf(instances, aggregator);
}

/** What a device would export. Throws RangeError where its ratio is no integer: the draft cannot say it. */
export function baseTypeOf(partition: Partition): BaseType {
  const ratio = ratioOf(partition);
  if (!isIntegerRational(ratio)) {
    throw new RangeError(`An aggregation_ratio is an integer, not ${formatRational(ratio)}`);
  }
  return { baseType: partition.baseType, aggregationRatio: ratio.numerator };
}

/**
 * P12: equal base type and equal ratio. The relation has no direction, and says less than it seems to: devices of equal
 * ratio may differ in memory, resolution and fences, which do not all scale with the aggregator.
 */
export function checkBaseType(source: BaseType, destination: BaseType): BaseTypeAnswer {
  const why: BaseTypeReason[] = [];
  if (source.baseType !== destination.baseType) {
    const text = `${quoteText(source.baseType)} is not ${quoteText(destination.baseType)}`;
    why.push({ code: "base_type", text });
  }
  if (source.aggregationRatio !== destination.aggregationRatio) {
    const text = `${source.aggregationRatio} is not ${destination.aggregationRatio}`;
    why.push({ code: "aggregation_ratio", text });
  }
  const [first, ...more] = why;
  return first === undefined ? { kind: "accepted" } : { kind: "refused", why: [first, ...more] };
}
