// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "../device/quoted-text.ts";
import { parseLine, parseListText } from "./attribute-text.ts";
import { parseDecimal } from "./numbers.ts";

/** One line of `nvidia/creatable_vgpu_types`: a type that the function can be set to now. */
export interface CreatableVgpuType {
  readonly id: number;
  readonly name: string;
}

const HEADER = "ID    : vGPU Name";
const HEADER_LINE = /^ID *: *vGPU Name *$/;
const ROW = /^ *([0-9]+) *: *([!-~](?:[ -~]*[!-~])?) *$/;

/**
 * Reads `nvidia/creatable_vgpu_types` of NVIDIA's vendor VFIO framework: a header, then one row a type. Empty text and
 * a header alone are an empty list: nothing can be created now. Rows keep the order of the file.
 * Throws SyntaxError for any other line, where an id comes twice and for a text that fills a page, RangeError for an id of 0 or beyond 2^53 - 1.
 */
export function parseCreatableVgpuTypes(raw: string): readonly CreatableVgpuType[] {
  const text = parseListText(raw, "creatable_vgpu_types");
  const lines = text === "" ? [] : text.split("\n");
  const types = (HEADER_LINE.test(lines[0] ?? "") ? lines.slice(1) : lines).map(parseRow);
  if (new Set(types.map((type) => type.id)).size === types.length) return types;
  throw new SyntaxError(`Cannot parse creatable_vgpu_types: expected every id once, got ${quoteText(text)}`);
}

/**
 * Writes `nvidia/creatable_vgpu_types` as the driver does: header, padded ids, a trailing LF.
 * Throws SyntaxError or RangeError for a row that could not be read back.
 */
export function formatCreatableVgpuTypes(types: readonly CreatableVgpuType[]): string {
  const rows = types.map(formatRow);
  return `${[HEADER, ...rows].join("\n")}\n`;
}

/** Reads `nvidia/current_vgpu_type`: the id of the type that the function is set to, 0 where it is set to none. */
export function parseCurrentVgpuType(raw: string): number {
  return parseDecimal(raw, "current_vgpu_type");
}

/** Reads `nvidia/placement_id` and `nvidia/gpu_instance_id`: a number; undefined where the driver shows nothing. */
export function parseOptionalNumber(raw: string): number | undefined {
  return parseLine(raw, "number").trim() === "" ? undefined : parseDecimal(raw, "number");
}

function formatRow(type: CreatableVgpuType): string {
  const row = `${String(type.id).padEnd(6)}: ${type.name}`;
  const read = parseRow(row);
  if (read.id === type.id && read.name === type.name) return row;
  throw new SyntaxError(
    `Cannot write creatable_vgpu_types: expected a name without spaces around it, got ${quoteText(row)}`,
  );
}

function parseRow(line: string): CreatableVgpuType {
  const [, id, name] = ROW.exec(line) ?? [];
  if (id === undefined || name === undefined) {
    throw new SyntaxError(`Cannot parse creatable_vgpu_types: expected "ID : name", got ${quoteText(line)}`);
  }
  const number = parseDecimal(id, "creatable_vgpu_types");
  if (number > 0) return { id: number, name };
  throw new RangeError(`Cannot parse creatable_vgpu_types: expected an id above 0, got ${quoteText(line)}`);
}
