// SPDX-License-Identifier: Apache-2.0

import { parseTypeId, type TypeId } from "../device/mdev-type.ts";
import { quoteText } from "../device/quoted-text.ts";

/** One attribute that mdevctl writes after it made a device. */
export interface DefinedAttribute {
  readonly name: string;
  readonly value: string;
}

/** A definition of mdevctl: what it stores at /etc/mdevctl.d/PARENT/UUID, takes as `--jsonfile` and dumps. */
export interface MdevDefinition {
  readonly type: TypeId;
  /** `auto`: made as soon as the parent appears. */
  readonly start: "auto" | "manual";
  /** In the order in which they are written; a name may come twice. */
  readonly attributes: readonly DefinedAttribute[];
}

/** Writes a definition byte for byte as mdevctl 1.2 to 1.4 stores it: two spaces of indentation, no newline at the end. */
export function formatMdevDefinition({ type, start, attributes }: MdevDefinition): string {
  const attrs = attributes.map(({ name, value }) => ({ [name]: value }));
  return JSON.stringify({ mdev_type: type, start, attrs }, null, 2);
}

/**
 * Reads a definition. As mdevctl does: `start` may be anything but nothing, and only `auto` means auto; `attrs` may be
 * missing; other members are left out. A type that cannot be a folder's name is refused, which mdevctl does when it is
 * started. Throws SyntaxError.
 */
export function parseMdevDefinition(text: string): MdevDefinition {
  const definition = parseObject(text);
  const type = ownOf(definition, "mdev_type");
  const start = ownOf(definition, "start");
  if (typeof type !== "string") throw refuse("a text as mdev_type", type);
  if (start === undefined || start === null) throw refuse("start", start);
  return {
    type: parseTypeId(type),
    start: start === "auto" ? "auto" : "manual",
    attributes: parseAttributes(ownOf(definition, "attrs")),
  };
}

function parseAttributes(attrs: unknown): readonly DefinedAttribute[] {
  if (attrs === undefined || attrs === null) return [];
  if (!Array.isArray(attrs)) throw refuse("a list as attrs", attrs);
  return attrs.map((item: unknown) => {
    const fields = typeof item === "object" && item !== null && !Array.isArray(item) ? Object.entries(item) : [];
    const [field, ...others] = fields;
    if (field === undefined || others.length > 0) throw refuse("one name and its value as an attribute", item);
    const [name, value]: readonly [string, unknown] = field;
    if (typeof value !== "string") throw refuse("a text as the value of an attribute", item);
    return { name, value };
  });
}

function parseObject(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`Cannot parse mdev definition: expected JSON, got ${quoteText(text)}`, { cause: error });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw refuse("an object", value);
}

function ownOf(fields: object, name: string): unknown {
  return Object.entries(fields).find(([key]) => key === name)?.[1];
}

function refuse(expected: string, got: unknown): SyntaxError {
  const text = quoteText(JSON.stringify(got) ?? "nothing");
  return new SyntaxError(`Cannot parse mdev definition: expected ${expected}, got ${text}`);
}
