// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "../device/quoted-text.ts";
import type { Block } from "./compatible-block.ts";
import { expandBlock, type Alternative, type DivisionWarning } from "./expand-block.ts";

/** How many of the values that a block accepts a sentence names. */
const NAMED_MAX = 8;

/** One thing that keeps a device out of a block. */
export interface BlockReason {
  /**
   * `value_not_accepted`: no alternative has this value of this field. `field_not_named`: the device has a field that
   * the block does not speak of. `values_not_together`: each value is accepted, but by no one alternative.
   * `no_alternative`: divisions dropped them all.
   */
  readonly code: "value_not_accepted" | "field_not_named" | "values_not_together" | "no_alternative";
  /** The field, where the reason is of one field. */
  readonly key?: string;
  readonly text: string;
}

/** Why one block does not accept a device: every reason that it has. */
export interface BlockRefusal {
  readonly reasons: readonly [BlockReason, ...BlockReason[]];
  readonly warnings: readonly DivisionWarning[];
}

/** Whether a list of blocks accepts a device. */
export type BlocksAnswer =
  | {
      readonly kind: "accepted";
      /** The place of the first block that accepts it, from 0. */
      readonly block: number;
      /** What the block's variables stand for in the first alternative that accepts it. */
      readonly binding: ReadonlyMap<string, string>;
      readonly warnings: readonly DivisionWarning[];
    }
  /** One refusal for each block, in their order; none where there is no block at all. */
  | { readonly kind: "refused"; readonly why: readonly BlockRefusal[] };

/**
 * Looks the source's own fields up in the blocks that the destination exports (D1: a list names what may come in; asking
 * about the way back takes the other device's fields and blocks).
 *
 * Blocks are alternatives; within a block every field has to agree, as text. A block's empty value agrees with an absent
 * field too. A field of the source that a block does not name is a refusal: the destination has said nothing about it.
 * Throws ExpansionTooLarge, a RangeError, where a block stands for too many combinations.
 */
export function matchBlocks(self: ReadonlyMap<string, string>, compatible: readonly Block[]): BlocksAnswer {
  const why: BlockRefusal[] = [];
  for (const [index, block] of compatible.entries()) {
    const { alternatives, warnings } = expandBlock(block);
    const unnamed = findUnnamed(self, block);
    const match = alternatives.find(({ fields }) => [...fields].every(([key, value]) => isMatch(value, self.get(key))));
    if (match !== undefined && unnamed.length === 0) {
      return { kind: "accepted", block: index, binding: match.binding, warnings };
    }
    const unmatched = match === undefined ? explainUnmatched(self, block, alternatives) : [];
    const [first, ...more] = [...unmatched, ...unnamed];
    if (first !== undefined) why.push({ reasons: [first, ...more], warnings });
  }
  return { kind: "refused", why };
}

function isMatch(accepted: string, value: string | undefined): boolean {
  return accepted === (value ?? "");
}

/** Why no alternative matches: the fields that fail by themselves, else that they fail together. Never empty. */
function explainUnmatched(
  self: ReadonlyMap<string, string>,
  block: Block,
  alternatives: readonly Alternative[],
): readonly BlockReason[] {
  if (alternatives.length === 0) {
    return [{ code: "no_alternative", text: "divisions that leave no whole number dropped every alternative" }];
  }
  const reasons: BlockReason[] = [];
  for (const key of block.fields.keys()) {
    const accepted = new Set(alternatives.map(({ fields }) => fields.get(key) ?? ""));
    const value = self.get(key);
    if (accepted.has(value ?? "")) continue;
    const found = value === undefined ? "is absent" : `is ${quoteText(value)}`;
    const text = `${quoteText(key)} ${found}; accepted: ${listValues(accepted)}`;
    reasons.push({ code: "value_not_accepted", key, text });
  }
  if (reasons.length > 0) return reasons;
  return [{ code: "values_not_together", text: "each value is accepted, but not together with the others" }];
}

function findUnnamed(self: ReadonlyMap<string, string>, block: Block): readonly BlockReason[] {
  return [...self]
    .filter(([key]) => !block.fields.has(key))
    .map(([key, value]) => {
      const text = `${quoteText(key)} is ${quoteText(value)}, and the block does not name it`;
      return { code: "field_not_named", key, text };
    });
}

function listValues(values: ReadonlySet<string>): string {
  const named = [...values].slice(0, NAMED_MAX).map(quoteText);
  const more = values.size - named.length;
  return more === 0 ? named.join(", ") : `${named.join(", ")} and ${more} more`;
}
