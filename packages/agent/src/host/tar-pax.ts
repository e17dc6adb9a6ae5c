// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "@berth/core/protocol/berth-error";

/**
 * Reads the records of a pax header, `<length> <key>=<value>\n`, the length counting the whole record in bytes
 * (POSIX.1-2017, pax, "pax Extended Header"). Throws BerthError capture_malformed.
 */
export function parsePaxRecords(body: Uint8Array): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < body.length && body[at] !== 0;) {
    const space = body.indexOf(0x20, at);
    const digits = space < 0 ? "" : decode(body.subarray(at, space));
    const end = at + Number(digits);
    const record = decode(body.subarray(space + 1, end));
    const equals = record.indexOf("=");
    if (!/^\d{1,9}$/.test(digits) || end > body.length || end <= space || equals < 1 || !record.endsWith("\n")) {
      throw new BerthError("capture_malformed", "Cannot read the archive: it has a malformed pax header", {
        expected: "records of length, key and value",
      });
    }
    records.set(record.slice(0, equals), record.slice(equals + 1, -1));
    at = end;
  }
  return records;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
