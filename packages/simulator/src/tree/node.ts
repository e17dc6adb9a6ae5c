// SPDX-License-Identifier: Apache-2.0

/** What reading an attribute gives: its text or bytes, or the errno of its show function (`EIO`, without a minus). */
export type Shown =
  { readonly kind: "text"; readonly text: string } | { readonly kind: "bytes"; readonly bytes: Uint8Array } | Refused;

/** What writing an attribute gives. */
export type Stored = { readonly kind: "written" } | Refused;

/** A kernel function's refusal. `errno` is the kernel's name for it, such as ENOSPC. */
export interface Refused {
  readonly kind: "failed";
  readonly errno: string;
}

/** One file of a simulated machine. Without `show` it cannot be read, without `store` it cannot be written. */
export interface Attribute {
  /** Permission bits, such as 0o444. */
  readonly mode: number;
  /** Size that stat(2) tells; sysfs says one page whatever the text is. */
  readonly size?: number;
  readonly show?: () => Shown;
  /** `byteCount` is what write(2) was given: the text's length in UTF-8. */
  readonly store?: (text: string, byteCount: number) => Stored;
}

export interface DirectoryNode {
  readonly kind: "directory";
  readonly entries: Map<string, Node>;
}

export interface AttributeNode {
  readonly kind: "attribute";
  readonly attribute: Attribute;
}

export interface LinkNode {
  readonly kind: "link";
  /** As readlink(2) tells it; relative in sysfs. */
  readonly target: string;
}

export type Node = DirectoryNode | AttributeNode | LinkNode;

/** The page that sysfs reads and writes at most, and shows as every attribute's size. */
export const PAGE_BYTES = 4096;

export const WRITTEN: Stored = { kind: "written" };

/** Makes a refusal. */
export function refused(errno: string): Refused {
  return { kind: "failed", errno };
}

/** Makes a read-only attribute whose text is made at every read; a newline is added, as sysfs_emit users do. */
export function lineAttribute(line: () => string): Attribute {
  return { mode: 0o444, show: () => ({ kind: "text", text: `${line()}\n` }) };
}

/** Makes a read-only attribute with one line that never changes. */
export function fixedAttribute(line: string): Attribute {
  return lineAttribute(() => line);
}

/** Makes a world-readable, root-writable attribute (DEVICE_ATTR_RW) whose text never changes; writes are ignored. */
export function settingAttribute(text: string): Attribute {
  return { mode: 0o644, show: () => ({ kind: "text", text }), store: () => WRITTEN };
}

/** Makes a write-only attribute (DEVICE_ATTR_WO). */
export function triggerAttribute(store: (text: string, byteCount: number) => Stored): Attribute {
  return { mode: 0o200, store };
}

/** Makes a file outside sysfs, such as one of /proc or /etc: the exact text, and a size of the caller's choice. */
export function fileAttribute(text: string, size: number): Attribute {
  return { mode: 0o444, size, show: () => ({ kind: "text", text }) };
}
