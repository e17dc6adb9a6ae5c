// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "../device/quoted-text.ts";
import { parseLine } from "./attribute-text.ts";

/** `uname -r`, taken apart. */
export interface KernelRelease {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** The whole text. */
  readonly text: string;
}

const RELEASE = /^([0-9]{1,9})\.([0-9]{1,9})(?:\.([0-9]{1,9})(?:\.[0-9]{1,9})?)?(?:[-+_~][!-~]*)?$/;
const DOTTED = /^([0-9]+(?:\.[0-9]+)*)(?:[-+~_ ].*)?$/s;
/** __NEW_UTS_LEN of the kernel. */
const RELEASE_MAX = 64;
const OS_RELEASE_MAX = 65_536;

/** Reads a kernel release such as `6.12.107+deb13-amd64`; a missing patch number is 0. Throws SyntaxError. */
export function parseKernelRelease(raw: string): KernelRelease {
  const text = parseLine(raw, "kernel release");
  const match = text.length <= RELEASE_MAX ? RELEASE.exec(text) : null;
  if (match === null) {
    throw new SyntaxError(`Cannot parse kernel release: expected major.minor.patch, got ${quoteText(text)}`);
  }
  return { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3] ?? "0"), text };
}

/**
 * Orders two dotted numbers part by part, such as `570.133.20` and `570.86`; a missing part is 0, leading zeros do not
 * count, and what follows `-`, `+`, `~`, `_` or a space is not compared. Undefined where a text is no dotted number.
 */
export function compareDotted(a: string, b: string): -1 | 0 | 1 | undefined {
  const left = DOTTED.exec(a)?.[1]?.split(".");
  const right = DOTTED.exec(b)?.[1]?.split(".");
  if (left === undefined || right === undefined) return undefined;
  for (let part = 0; part < Math.max(left.length, right.length); part += 1) {
    const order = compareDigits(left[part] ?? "0", right[part] ?? "0");
    if (order !== 0) return order;
  }
  return 0;
}

/**
 * Reads `/etc/os-release` (os-release(5)): `ID` and `VERSION_ID`, such as `debian 13`; `ID` alone where a rolling
 * distribution has no version. Of several assignments the last counts. Throws SyntaxError where there is no `ID`.
 */
export function parseOsRelease(raw: string): string {
  const values = new Map<string, string>();
  if (raw.length > OS_RELEASE_MAX || /[\0-\x08\x0b-\x1f\x7f-\x9f]/.test(raw)) {
    throw new SyntaxError(
      `Cannot parse os-release: expected at most ${OS_RELEASE_MAX} characters of text, got ${quoteText(raw)}`,
    );
  }
  for (const line of raw.split("\n")) {
    const [, key, text] = /^[ \t]*(ID|VERSION_ID)=(.*?)[ \t]*$/.exec(line) ?? [];
    if (key === undefined || text === undefined) continue;
    const value = /^(["']?)([A-Za-z0-9._+~-]*)\1$/.exec(text)?.[2];
    if (value === undefined)
      throw new SyntaxError(`Cannot parse os-release: expected ${key}=word, got ${quoteText(line)}`);
    values.set(key, value);
  }
  const id = values.get("ID") ?? "";
  if (id !== "") return [id, values.get("VERSION_ID") ?? ""].join(" ").trimEnd();
  throw new SyntaxError(`Cannot parse os-release: expected a line ID=..., got ${quoteText(raw)}`);
}

/** Orders two runs of digits by value, of any length. */
function compareDigits(a: string, b: string): -1 | 0 | 1 {
  const left = a.replace(/^0+/, "");
  const right = b.replace(/^0+/, "");
  if (left.length !== right.length) return left.length < right.length ? -1 : 1;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
