// SPDX-License-Identifier: Apache-2.0

/** Bytes as the wire takes them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Where Berth's keys stand in an etcd cluster that others may use too. Below the root: `d/` documents, `op/` the slots by
 * which a repeated transaction knows its own success, `epoch` the mark that is made once.
 */
export interface KeySpace {
  /** Ends with a slash. */
  readonly root: string;
}

/** @throws RangeError for a root that is not printable ASCII ending with a slash. */
export function parseRoot(root: string): KeySpace {
  if (!/^[\x21-\x7e]+\/$/.test(root)) {
    throw new RangeError(`A root is printable ASCII that ends with a slash, not ${JSON.stringify(root.slice(0, 80))}`);
  }
  return { root };
}

/** etcd's key of a document. */
export function formatKey(space: KeySpace, key: string): Bytes {
  return toBytes(`${space.root}d/${key}`);
}

/** The document's key. @throws RangeError for a key of another place. */
export function parseKey(space: KeySpace, bytes: Uint8Array): string {
  const key = fromBytes(bytes);
  const prefix = `${space.root}d/`;
  if (!key.startsWith(prefix)) throw new RangeError(`${JSON.stringify(key.slice(0, 80))} is no document's key`);
  return key.slice(prefix.length);
}

/** etcd's range: from `key` to before `rangeEnd`. */
export interface KeyRange {
  readonly key: Bytes;
  readonly rangeEnd: Bytes;
}

/** All documents below a prefix, those after a key only where one is given. Undefined: there can be none. */
export function formatRange(space: KeySpace, prefix: string, after?: string): KeyRange | undefined {
  const start = `${space.root}d/${prefix}`;
  // Keys are ASCII below the highest code, so that the last byte can always be raised by one.
  const end = start.slice(0, -1) + String.fromCharCode(start.charCodeAt(start.length - 1) + 1);
  // The next key in byte order is the same one with a zero byte behind it.
  const next = after === undefined ? start : `${space.root}d/${after}\0`;
  const from = next > start ? next : start;
  return from < end ? { key: toBytes(from), rangeEnd: toBytes(end) } : undefined;
}

/** etcd's key of the mark that makes an epoch. */
export function formatEpochKey(space: KeySpace): Bytes {
  return toBytes(`${space.root}epoch`);
}

/** etcd's key of a slot. */
export function formatSlotKey(space: KeySpace, name: string): Bytes {
  return toBytes(`${space.root}op/${name}`);
}

/** Text as UTF-8. */
export function toBytes(text: string): Bytes {
  return Uint8Array.from(Buffer.from(text, "utf8"));
}

/** UTF-8 as text. */
export function fromBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}
