// SPDX-License-Identifier: Apache-2.0

import Table from "cli-table3";

const NO_BORDERS = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};

/** Narrowest that a last column is wrapped to, in columns of the terminal. */
const LAST_COLUMN_MIN = 24;
/** Tables stand this far in. */
const MARGIN = 2;

/**
 * Lays rows out under a head, columns two spaces apart, no borders: easy to read, to cut and to grep. On a terminal the
 * last column is wrapped to what is left of its width; elsewhere a row is one line.
 */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number | undefined = terminalColumns(),
): string {
  const cells = [head, ...rows.map((row) => row.map(printable))];
  const table = new Table({
    chars: NO_BORDERS,
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [], compact: true },
    ...wrapLast(cells, columns),
  });
  table.push(...cells.map((row) => [...row]));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** Width of the terminal that standard output is, or undefined where it is none. */
function terminalColumns(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns : undefined;
}

/** Options that wrap the last column where a row would not fit; nothing where all do, or where too little is left. */
function wrapLast(
  cells: readonly (readonly string[])[],
  columns: number | undefined,
): { readonly colWidths?: (number | null)[]; readonly wordWrap?: boolean } {
  const count = cells[0]?.length ?? 0;
  if (columns === undefined || count < 2) return {};
  const widths = Array.from({ length: count }, (_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  const others = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, MARGIN);
  const last = Math.max(LAST_COLUMN_MIN, columns - others);
  if ((widths.at(-1) ?? 0) <= last) return {};
  return { colWidths: [...widths.slice(0, -1).map(() => null), last], wordWrap: true };
}

/** Text from a host, safe for a terminal: control characters and line breaks are shown, not sent. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (character) =>
    character === "\n" ? ", " : `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/** Indents every line of a block. */
export function indent(text: string, spaces: number): string {
  const margin = " ".repeat(spaces);
  return text
    .split("\n")
    .map((line) => (line === "" ? line : margin + line))
    .join("\n");
}
