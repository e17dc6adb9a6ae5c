// SPDX-License-Identifier: Apache-2.0

import type { ApConfig, Apqn } from "../device/ap-matrix.ts";
import { quoteText } from "../device/quoted-text.ts";
import { parseAttributeText, parseLine, parseListText } from "./attribute-text.ts";

/** What `matrix` or `guest_matrix` of a vfio-ap device shows. All lists ascend; queues by adapter, then domain. */
export interface ApAssignment {
  /** The product of adapters and domains. */
  readonly apqns: readonly Apqn[];
  readonly adapters: readonly number[];
  readonly domains: readonly number[];
}

/** Adapters and domains are numbered 0 to 255 (AP_DEVICES, AP_DOMAINS). */
const AP_MAX = 255;
const MASK_DIGITS = 64;
/** Bits of one digit, the leftmost first. */
const BITS: readonly number[] = [0, 1, 2, 3];
const MATRIX_LINE = /^([0-9a-f]{2})?\.([0-9a-f]{4})?$/i;

/** Reads one AP queue number such as `01.0005`. Throws SyntaxError, RangeError above 255. */
export function parseApqn(raw: string): Apqn {
  const text = parseLine(raw, "APQN");
  const { adapter, domain } = parseMatrixLine(text);
  if (adapter !== undefined && domain !== undefined) return { adapter, domain };
  throw new SyntaxError(`Cannot parse APQN: expected adapter.domain such as 01.0005, got ${quoteText(text)}`);
}

/** Writes an AP queue number as the kernel does, `%02x.%04x`, without LF. */
export function formatApqn(apqn: Apqn): string {
  return `${formatAdapter(apqn.adapter)}.${formatDomain(apqn.domain)}`;
}

/**
 * Reads `matrix` or `guest_matrix` (kernel: drivers/s390/crypto/vfio_ap_ops.c): one queue a line; `01.` lines where
 * only adapters are assigned, `.0005` lines where only domains are. Empty text is an empty matrix.
 * Throws SyntaxError for any other line, where a line comes twice, and where the lines do not make the whole product of
 * their adapters and domains, which is what a text looks like that was cut off; RangeError above 255.
 */
export function parseApMatrix(raw: string): ApAssignment {
  const text = parseListText(raw, "AP matrix").toLowerCase();
  const lines = text === "" ? [] : text.split("\n").sort();
  const pairs = lines.map(parseMatrixLine);
  const adapters = ascending(pairs.flatMap(({ adapter }) => (adapter === undefined ? [] : [adapter])));
  const domains = ascending(pairs.flatMap(({ domain }) => (domain === undefined ? [] : [domain])));
  if (formatApMatrix({ adapters, domains }) !== lines.map((line) => `${line}\n`).join("")) {
    throw new SyntaxError(
      `Cannot parse AP matrix: expected every adapter with every domain once, got ${quoteText(text)}`,
    );
  }
  return { apqns: adapters.flatMap((adapter) => domains.map((domain) => ({ adapter, domain }))), adapters, domains };
}

/** Writes `matrix` as the kernel does, one line each with its LF; nothing for nothing. Throws RangeError above 255. */
export function formatApMatrix(assignment: Pick<ApAssignment, "adapters" | "domains">): string {
  const adapters = ascending(assignment.adapters).map(formatAdapter);
  const domains = ascending(assignment.domains).map(formatDomain);
  if (adapters.length === 0) return domains.map((domain) => `.${domain}\n`).join("");
  if (domains.length === 0) return adapters.map((adapter) => `${adapter}.\n`).join("");
  return adapters.flatMap((adapter) => domains.map((domain) => `${adapter}.${domain}\n`)).join("");
}

/**
 * Reads `ap_config`: the masks of adapters, usage domains and control domains, `0x` and 64 digits each, separated by
 * commas. The leftmost bit is number 0. Throws SyntaxError.
 */
export function parseApConfig(raw: string): ApConfig {
  const text = parseLine(raw, "ap_config");
  const [adapters, domains, controlDomains, ...more] = text.split(",");
  if (adapters === undefined || domains === undefined || controlDomains === undefined || more.length > 0) {
    throw new SyntaxError(`Cannot parse ap_config: expected three masks, got ${quoteText(text)}`);
  }
  return {
    adapters: parseApMask(adapters),
    domains: parseApMask(domains),
    controlDomains: parseApMask(controlDomains),
  };
}

/** Writes `ap_config` as the kernel does, with a trailing LF. Throws RangeError for a number that is not 0 to 255. */
export function formatApConfig(config: ApConfig): string {
  return `${[config.adapters, config.domains, config.controlDomains].map((mask) => formatApMask(mask).trimEnd()).join(",")}\n`;
}

/**
 * Reads one AP mask such as `/sys/bus/ap/apmask`: `0x` and 64 digits, the leftmost bit is number 0. The answer ascends.
 * Throws SyntaxError, for the kernel's `not supported` too.
 */
export function parseApMask(raw: string): readonly number[] {
  const text = parseLine(raw, "AP mask");
  const digits = /^0x([0-9a-f]{64})$/i.exec(text)?.[1];
  if (digits === undefined) {
    throw new SyntaxError(
      `Cannot parse AP mask: expected 0x and ${MASK_DIGITS} hexadecimal digits, got ${quoteText(text)}`,
    );
  }
  return Array.from(digits).flatMap((digit, index) => {
    const bits = Number.parseInt(digit, 16);
    return BITS.filter((bit) => (bits & (8 >> bit)) !== 0).map((bit) => index * 4 + bit);
  });
}

/** Writes one AP mask with a trailing LF. Throws RangeError for a number that is not 0 to 255. */
export function formatApMask(numbers: readonly number[]): string {
  const set = new Set(numbers.map((number) => checkNumber(number, "AP mask")));
  const digits = Array.from({ length: MASK_DIGITS }, (_, index) =>
    BITS.reduce((digit, bit) => digit | (set.has(index * 4 + bit) ? 8 >> bit : 0), 0).toString(16),
  );
  return `0x${digits.join("")}\n`;
}

/**
 * Reads `control_domains`: one number of four hexadecimal digits a line. The answer ascends.
 * Throws SyntaxError, also for one that comes twice; RangeError above 255.
 */
export function parseControlDomains(raw: string): readonly number[] {
  const text = parseAttributeText(raw);
  const domains = (text === "" ? [] : text.split("\n")).map((line) => {
    if (/^[0-9a-f]{4}$/i.test(line)) return checkNumber(Number.parseInt(line, 16), "control_domains");
    throw new SyntaxError(`Cannot parse control_domains: expected four hexadecimal digits, got ${quoteText(line)}`);
  });
  if (new Set(domains).size === domains.length) return ascending(domains);
  throw new SyntaxError(`Cannot parse control_domains: expected every domain once, got ${quoteText(text)}`);
}

/** Writes `control_domains` as the kernel does, one line each with its LF. Throws RangeError above 255. */
export function formatControlDomains(domains: readonly number[]): string {
  return ascending(domains)
    .map((domain) => `${formatDomain(domain)}\n`)
    .join("");
}

/**
 * Reads the words of `/sys/bus/matrix/devices/matrix/features`, such as `guest_matrix hotplug ap_config`, in the order
 * of the file, duplicates dropped. Throws SyntaxError.
 */
export function parseFeatureWords(raw: string): readonly string[] {
  const words = parseLine(raw, "features")
    .split(" ")
    .filter((word) => word !== "");
  return [...new Set(words)];
}

function parseMatrixLine(line: string): { readonly adapter: number | undefined; readonly domain: number | undefined } {
  const match = MATRIX_LINE.exec(line);
  if (match === null || line === ".") {
    throw new SyntaxError(
      `Cannot parse AP matrix: expected lines such as 01.0005, 01. or .0005, got ${quoteText(line)}`,
    );
  }
  const [adapter, domain] = [match[1], match[2]].map((digits) =>
    digits === undefined ? undefined : checkNumber(Number.parseInt(digits, 16), "AP matrix"),
  );
  return { adapter, domain };
}

function formatAdapter(adapter: number): string {
  return checkNumber(adapter, "adapter").toString(16).padStart(2, "0");
}

function formatDomain(domain: number): string {
  return checkNumber(domain, "domain").toString(16).padStart(4, "0");
}

function checkNumber(number: number, name: string): number {
  if (Number.isInteger(number) && number >= 0 && number <= AP_MAX) return number;
  throw new RangeError(`Number out of range in ${name}: expected 0 to ${AP_MAX}, got ${number}`);
}

function ascending(numbers: readonly number[]): readonly number[] {
  return [...new Set(numbers)].sort((left, right) => left - right);
}
