// SPDX-License-Identifier: Apache-2.0

import { formatTable } from "./table.ts";

/** A list for a person. */
export interface ShownList {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** One and several. */
  readonly nouns: readonly [string, string];
}

/** A table and how many entries it has; an empty list is its count alone. */
export function formatList({ head, rows, nouns }: ShownList): string {
  const table = rows.length === 0 ? "" : `${formatTable(head, rows)}\n`;
  return `${table}${rows.length} ${nouns[rows.length === 1 ? 0 : 1]}`;
}
