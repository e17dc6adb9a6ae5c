// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "../device/quoted-text.ts";
import { parseLine } from "./attribute-text.ts";

/** The path masks of a subchannel, one bit a path, the leftmost (0x80) for the first: installed, available, operational. */
export interface PathMasks {
  readonly pim: number;
  readonly pam: number;
  readonly pom: number;
}

const PATHS = 8;
const CHPIDS = /^[0-9a-f]{2}(?: [0-9a-f]{2}){7} ?$/i;

/**
 * Reads `chpids` of an I/O subchannel: eight `%02x ` fields, `00` where the path is masked off (kernel:
 * drivers/s390/cio/css.c). The answer holds the paths in use, in their order, lower case.
 *
 * Channel path 00 is legal, so only `pim` tells it from a masked-off path; without `pim` every `00` is left out.
 * Throws SyntaxError.
 */
export function parseChpids(raw: string, pim?: number): readonly string[] {
  const text = parseLine(raw, "chpids");
  if (!CHPIDS.test(text)) {
    throw new SyntaxError(
      `Cannot parse chpids: expected eight fields of two hexadecimal digits, got ${quoteText(text)}`,
    );
  }
  const fields = text.toLowerCase().trimEnd().split(" ");
  return fields.filter((field, path) => (pim === undefined ? field !== "00" : (pim & (0x80 >> path)) !== 0));
}

/**
 * Writes `chpids` as the kernel does, a space after every field and a trailing LF. The ids take the paths that `pim`
 * names, or the first paths. Throws SyntaxError for what is no id, RangeError where ids and paths differ in number.
 */
export function formatChpids(chpids: readonly string[], pim?: number): string {
  const paths = Array.from({ length: PATHS }, (_, path) => path);
  const used = paths.filter((path) => (pim === undefined ? path < chpids.length : (pim & (0x80 >> path)) !== 0));
  const bad = chpids.find((chpid) => !/^[0-9a-f]{2}$/.test(chpid));
  if (bad !== undefined) {
    throw new SyntaxError(`Cannot write chpids: expected two hexadecimal digits, got ${quoteText(bad)}`);
  }
  if (used.length !== chpids.length) {
    throw new RangeError(`Cannot write chpids: expected ${used.length} for the paths, got ${chpids.length}`);
  }
  return `${paths.map((path) => `${chpids[used.indexOf(path)] ?? "00"} `).join("")}\n`;
}

/** Reads `pimpampom`: three masks of two hexadecimal digits. Throws SyntaxError. */
export function parsePimPamPom(raw: string): PathMasks {
  const text = parseLine(raw, "pimpampom");
  const [, pim, pam, pom] = /^([0-9a-f]{2}) ([0-9a-f]{2}) ([0-9a-f]{2})$/i.exec(text) ?? [];
  if (pim === undefined || pam === undefined || pom === undefined) {
    throw new SyntaxError(`Cannot parse pimpampom: expected three masks such as "f0 f0 ff", got ${quoteText(text)}`);
  }
  return { pim: Number.parseInt(pim, 16), pam: Number.parseInt(pam, 16), pom: Number.parseInt(pom, 16) };
}

/** Writes `pimpampom` as the kernel does, with a trailing LF. Throws RangeError for a mask beyond eight bits. */
export function formatPimPamPom(masks: PathMasks): string {
  const fields = [masks.pim, masks.pam, masks.pom].map((mask) => {
    if (Number.isInteger(mask) && mask >= 0 && mask <= 0xff) return mask.toString(16).padStart(2, "0");
    throw new RangeError(`Cannot write pimpampom: expected a mask of eight bits, got ${mask}`);
  });
  return `${fields.join(" ")}\n`;
}

/**
 * Reads the type of a channel path, `/sys/devices/css0/chp0.<id>/type` (`%x`) or a value of `compatible_chpid_type`:
 * hexadecimal with or without `0x`. The answer has two digits, such as `1a` for FICON. Throws SyntaxError.
 */
export function parseChpidType(raw: string): string {
  const text = parseLine(raw, "chpid type");
  const digits = /^(?:0x)?([0-9a-f]{1,2})$/i.exec(text)?.[1];
  if (digits !== undefined) return digits.toLowerCase().padStart(2, "0");
  throw new SyntaxError(`Cannot parse chpid type: expected two hexadecimal digits, got ${quoteText(text)}`);
}

/** Reads a subchannel's `type` (`%01x`); 0 is an I/O subchannel. Throws SyntaxError. */
export function parseSubchannelType(raw: string): number {
  const text = parseLine(raw, "subchannel type");
  if (/^[0-9a-f]$/i.test(text)) return Number.parseInt(text, 16);
  throw new SyntaxError(`Cannot parse subchannel type: expected one hexadecimal digit, got ${quoteText(text)}`);
}
