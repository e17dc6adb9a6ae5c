// SPDX-License-Identifier: Apache-2.0

/**
 * The parts of a host's inventory, in the order in which they are written. `host` is one record that holds everything
 * which is not in one of the lists.
 */
export const SECTIONS = [
  "host",
  "parents",
  "devices",
  "functions",
  "modules",
  "queues",
  "virtualMachines",
  "uses",
  "problems",
] as const;
export type Section = (typeof SECTIONS)[number];

/** A name for a text by its content: equal texts have equal digests. The caller's hash, as lower-case hexadecimal. */
export type Digest = string;

/** Names a text by its content. Core hashes nothing itself; SHA-256 as lower-case hexadecimal is what Berth uses. */
export type Hash = (text: string) => Digest;

/** What fills one hole of a shape: a plain value, or any JSON value in an envelope. */
export type Hole = string | number | boolean | null | { readonly is: unknown };

/** One thing on a host: the shape it has in common with others, and what is its own. */
export interface InventoryRecord {
  /** Digest of the shape, a document of the catalogue. */
  readonly shape: Digest;
  /** What fills the shape's holes. The first is the record's name in its section: id, address, module name. */
  readonly holes: readonly Hole[];
}

/** What of a host did not fit into 64 KiB: nothing, a part of its problems, or so much that only its name is kept. */
export type Cut = "nothing" | "problems" | "everything";

/** What one host showed, by digest and number. Raw texts that cannot be told from these stay on the host. */
export interface Inventory {
  readonly host: string;
  readonly cut: Cut;
  readonly sections: Readonly<Record<Section, readonly InventoryRecord[]>>;
  /** Keys of the document that this version does not know, kept as they came. */
  readonly more: Readonly<Record<string, unknown>>;
}

/** Shapes by digest, each as the JSON text that the digest names. */
export type CatalogueTexts = ReadonlyMap<Digest, string>;

/** Largest inventory and largest shape, in bytes of UTF-8 (`DOCUMENT_MAX` of the store). */
export const INVENTORY_MAX_BYTES: number = 64 * 1024;

/** A record's name in its section; empty for the one record of the host. */
export function nameOf(record: InventoryRecord): string {
  const [first] = record.holes;
  return typeof first === "string" ? first : "";
}

/** Bytes that a text takes in UTF-8; half of a surrogate pair counts as the three that its replacement takes. */
export function countUtf8Bytes(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    const isPair = unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
    // A pair of two units takes four bytes.
    if (isPair) at++;
  }
  return bytes;
}
