// SPDX-License-Identifier: Apache-2.0

import { isIntegerRational, rationalOf } from "../device/rational.ts";
import { quoteText } from "../device/quoted-text.ts";
import type { Block } from "./compatible-block.ts";
import { variableOf, type Part, type Template, type Variable } from "./template.ts";

/** How many combinations of its variables' values a block may have (D5). */
export const COMBINATIONS_MAX = 4096;
/** How many characters all the combinations of a block may make together: long values, often used, grow as well. */
export const EXPANDED_MAX = 1_048_576;

/** One combination of values: what each variable stands for, and the fields that result. */
export interface Alternative {
  readonly binding: ReadonlyMap<string, string>;
  readonly fields: ReadonlyMap<string, string>;
}

/** A value that a division of its variable does not leave whole: every combination with it is dropped (D4). */
export interface DivisionWarning {
  readonly code: "division_not_exact";
  readonly key: string;
  readonly variable: string;
  readonly value: bigint;
  readonly divisor: bigint;
  readonly text: string;
}

/** Everything that a block stands for. No alternatives: it accepts nothing. */
export interface Expansion {
  /** In the order of the variables' lists, the last variable changing first. */
  readonly alternatives: readonly Alternative[];
  readonly warnings: readonly DivisionWarning[];
}

/** A block that stands for more than is worth writing out: hostile, or a mistake. */
export type ExpansionTooLarge = RangeError & { readonly code: "template_too_large" };

/**
 * Writes out every combination of a block's variables. Divisions are exact: a combination in which one is not is dropped
 * with a warning, and a block that loses all of them accepts nothing (D4).
 * Throws ExpansionTooLarge beyond 4096 combinations, or 1048576 characters in all of them together, dropped ones
 * counted (D5).
 */
export function expandBlock(block: Block): Expansion {
  checkSize(block);
  const warnings = findInexactDivisions(block);
  const values = [...block.variables.values()].map((variable) => ({
    name: variable.name,
    texts: textsOf(variable, warnings),
  }));
  const alternatives = combine(values).map((binding) => ({ binding, fields: fill(block, binding) }));
  return { alternatives, warnings };
}

function checkSize({ fields, variables }: Block): void {
  let combinations = 1;
  for (const { values } of variables.values()) combinations *= values.length;
  let length = 0;
  for (const [key, template] of fields) length += key.length + 1 + longestOf(template, variables);
  if (combinations <= COMBINATIONS_MAX && combinations * length <= EXPANDED_MAX) return;
  const found =
    combinations > COMBINATIONS_MAX ? `${combinations} combinations` : `${combinations * length} characters`;
  const limits = `${COMBINATIONS_MAX} combinations and ${EXPANDED_MAX} characters`;
  const error: ExpansionTooLarge = Object.assign(
    new RangeError(`Cannot expand a template: expected at most ${limits}, got ${found}`),
    { code: "template_too_large" } as const,
  );
  throw error;
}

function longestOf(template: Template, variables: ReadonlyMap<string, Variable>): number {
  const lengths = template.map((part) => {
    if (part.kind === "literal") return part.text.length;
    return Math.max(...variableOf(part.name, variables).values.map((value) => String(value).length));
  });
  return lengths.reduce((sum, length) => sum + length, 0);
}

/** Each use of a variable by itself: a division depends on one variable only. */
function findInexactDivisions({ fields, variables }: Block): readonly DivisionWarning[] {
  const found: DivisionWarning[] = [];
  for (const [key, template] of fields) {
    for (const part of template) {
      if (part.kind !== "use") continue;
      const variable = variableOf(part.name, variables);
      if (variable.kind !== "int") continue;
      const { name, divisor } = part;
      const inexact = variable.values.filter((value) => !isIntegerRational(rationalOf(value, divisor)));
      for (const value of new Set(inexact)) {
        const text = `${quoteText(key)}: ${value}/${divisor} is no whole number; ${name}=${value} is dropped`;
        found.push({ code: "division_not_exact", key, variable: name, value, divisor, text });
      }
    }
  }
  return found;
}

/** The values of a variable that no warning drops, as texts. */
function textsOf(variable: Variable, warnings: readonly DivisionWarning[]): readonly string[] {
  if (variable.kind === "string") return variable.values;
  const dropped = new Set(warnings.flatMap(({ variable: name, value }) => (name === variable.name ? [value] : [])));
  return variable.values.filter((value) => !dropped.has(value)).map(String);
}

/** Every way to take one text for each name; a name without texts leaves none. */
function combine(
  values: readonly { readonly name: string; readonly texts: readonly string[] }[],
): readonly ReadonlyMap<string, string>[] {
  const count = values.reduce((product, { texts }) => product * texts.length, 1);
  return Array.from({ length: count }, (_, index) => {
    let stride = count;
    let rest = index;
    const binding = new Map<string, string>();
    for (const { name, texts } of values) {
      stride /= texts.length;
      binding.set(name, texts[Math.floor(rest / stride)] ?? "");
      rest %= stride;
    }
    return binding;
  });
}

function fill({ fields }: Block, binding: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const filled = new Map<string, string>();
  for (const [key, template] of fields) filled.set(key, template.map((part) => fillPart(part, binding)).join(""));
  return filled;
}

function fillPart(part: Part, binding: ReadonlyMap<string, string>): string {
  if (part.kind === "literal") return part.text;
  const text = binding.get(part.name) ?? "";
  if (part.kind === "bind" || part.divisor === 1n) return text;
  return String(BigInt(text) / part.divisor);
}
