// SPDX-License-Identifier: Apache-2.0

/**
 * Writes a JSON value so that equal values have equal texts: keys in the order of their UTF-16 code units, no spaces. A
 * digest of this text names a document whatever its layout was (the scheme of RFC 8785 for what JSON.parse can yield).
 * Throws TypeError for what JSON cannot hold.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`Cannot write as JSON: ${value}`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object") {
    const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(",")}}`;
  }
  throw new TypeError(`Cannot write as JSON: ${typeof value}`);
}
