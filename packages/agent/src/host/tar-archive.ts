// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "@berth/core/protocol/berth-error";
import { parsePaxRecords } from "./tar-pax.ts";

/** One member of a tar archive. `path` is as it stands in the archive. */
export interface TarMember {
  readonly path: string;
  readonly kind: "file" | "directory" | "link" | "hard-link" | "other";
  /** Permission bits. */
  readonly mode: number;
  /** Content of a file; a view into the archive, not a copy. */
  readonly content: Uint8Array;
  /** Target of a link, path of the member that a hard link names. */
  readonly target: string;
}

const BLOCK = 512;
/** Longest header extension (long name, pax records) that is read. */
const EXTENSION_MAX = 1 << 20;

/** Kinds by type flag. GNU sparse files, volumes and multi-volume parts have none: they are refused. */
const KINDS: ReadonlyMap<string, TarMember["kind"]> = new Map([
  ["\0", "file"],
  ["0", "file"],
  ["7", "file"],
  ["1", "hard-link"],
  ["2", "link"],
  ["3", "other"],
  ["4", "other"],
  ["5", "directory"],
  ["6", "other"],
]);

/** What extension headers say of the members after them. */
interface Extensions {
  readonly all: Map<string, string>;
  readonly next: Map<string, string>;
}

interface Header {
  readonly name: string;
  readonly mode: number;
  readonly size: number;
  readonly flag: string;
  readonly target: string;
}

/**
 * Reads the members of an uncompressed tar archive, in their order: ustar, GNU long names and links, pax path, linkpath
 * and size. Checksums are verified. Throws BerthError: capture_truncated where the end is missing, capture_malformed
 * for what is no archive, capture_too_large above `maxMembers`, capture_unsupported_entry for other kinds of member.
 */
export function* parseTar(archive: Uint8Array, maxMembers: number): Generator<TarMember> {
  const extensions: Extensions = { all: new Map(), next: new Map() };
  let count = 0;
  for (let at = 0; ;) {
    const block = archive.subarray(at, at + BLOCK);
    if (block.length < BLOCK) throw truncated(`the archive stops at byte ${archive.length} without its end mark`);
    if (block.every((byte) => byte === 0)) return checkEnd(archive, at);
    count += 1;
    if (count > maxMembers)
      throw new BerthError("capture_too_large", `The archive has more than ${maxMembers} members`);
    const header = parseHeader(block, at);
    const pax = new Map([...extensions.all, ...extensions.next]);
    const isExtension = "LKxg".includes(header.flag);
    const size = isExtension ? header.size : parseSize(pax.get("size"), header.size);
    const body = archive.subarray(at + BLOCK, at + BLOCK + size);
    if (body.length < size) throw truncated(`the member at byte ${at} has ${body.length} of its ${size} bytes`);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    if (isExtension) {
      readExtension(header, body, extensions);
    } else {
      yield makeMember(header, body, pax);
      extensions.next.clear();
    }
  }
}

function makeMember(header: Header, body: Uint8Array, pax: ReadonlyMap<string, string>): TarMember {
  const kind = KINDS.get(header.flag);
  const path = pax.get("path") ?? header.name;
  const sparse = [...pax.keys()].find((key) => key.startsWith("GNU.sparse."));
  if (kind === undefined || sparse !== undefined || (kind !== "file" && body.length > 0)) {
    const what = sparse ?? `type ${JSON.stringify(header.flag)} with ${body.length} bytes`;
    throw new BerthError("capture_unsupported_entry", `Cannot read the member ${quote(path)}: ${what}`, {
      place: path,
      expected: "regular files, directories, links, and device nodes",
    });
  }
  const target = pax.get("linkpath") ?? header.target;
  // A name that ends in a slash was a directory before there was a flag for it.
  const isDirectory = kind === "directory" || (kind === "file" && path.endsWith("/"));
  return { path, kind: isDirectory ? "directory" : kind, mode: header.mode & 0o7777, content: body, target };
}

function readExtension(header: Header, body: Uint8Array, extensions: Extensions): void {
  if (body.length > EXTENSION_MAX) throw malformed(`a header extension of ${body.length} bytes`);
  if (header.flag === "L" || header.flag === "K") {
    const text = new TextDecoder().decode(body).replace(/\0+$/, "");
    extensions.next.set(header.flag === "L" ? "path" : "linkpath", text);
    return;
  }
  const into = header.flag === "g" ? extensions.all : extensions.next;
  for (const [key, value] of parsePaxRecords(body)) into.set(key, value);
}

function parseHeader(block: Uint8Array, at: number): Header {
  const magic = textOf(block, 257, 5);
  if (!isChecksumRight(block)) throw malformed(`a wrong checksum at byte ${at}`);
  // Only POSIX archives have a prefix field; GNU keeps times in its place.
  const prefix = magic === "ustar" && block[262] === 0 ? textOf(block, 345, 155) : "";
  const name = textOf(block, 0, 100);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    mode: parseOctal(block.subarray(100, 108), "mode"),
    size: parseOctal(block.subarray(124, 136), "size"),
    flag: String.fromCharCode(block[156] ?? 0),
    target: textOf(block, 157, 100),
  };
}

/** Whether a block is a tar header: its checksum is right. Some old writers summed signed bytes. */
export function isChecksumRight(block: Uint8Array): boolean {
  let unsigned = 0;
  let signed = 0;
  for (const [index, value] of block.entries()) {
    const byte = index >= 148 && index < 156 ? 0x20 : value;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const stored = /^ *([0-7]{1,7})[ \0]/.exec(new TextDecoder("latin1").decode(block.subarray(148, 156)))?.[1];
  return stored !== undefined && [unsigned, signed].includes(Number.parseInt(stored, 8));
}

/** Nothing but zeros may follow the end mark: a second archive behind it would be skipped without a word. */
function checkEnd(archive: Uint8Array, at: number): void {
  if (archive.subarray(at).some((byte) => byte !== 0)) throw malformed(`data after its end mark at byte ${at}`);
}

/** A number field: octal text, or binary where the first bit is set (GNU). */
function parseOctal(field: Uint8Array, name: string): number {
  if (((field[0] ?? 0) & 0x80) !== 0) {
    const value = field.reduce((sum, byte, index) => sum * 256 + (index === 0 ? byte & 0x7f : byte), 0);
    if (Number.isSafeInteger(value)) return value;
    throw malformed(`a ${name} beyond 2^53`);
  }
  const text = textOf(field, 0, field.length).trim();
  if (/^[0-7]*$/.test(text)) return text === "" ? 0 : Number.parseInt(text, 8);
  throw malformed(`${quote(text)} where a ${name} should be`);
}

function parseSize(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw malformed(`${quote(text)} where a size should be`);
}

/** Text of a field, up to its first NUL. */
function textOf(block: Uint8Array, start: number, length: number): string {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

function truncated(what: string): BerthError {
  return new BerthError("capture_truncated", `The archive is cut off: ${what}`, { expected: "a whole tar archive" });
}

function malformed(what: string): BerthError {
  return new BerthError("capture_malformed", `Cannot read the archive: it has ${what}`, {
    expected: "a tar archive, plain or compressed with gzip",
  });
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
