// SPDX-License-Identifier: Apache-2.0

import type { Pair } from "../compatibility/pair.ts";
import { parseUuid } from "../device/address.ts";
import { quoteText } from "../device/quoted-text.ts";
import type { ClaimRequest } from "./claim-request.ts";

/** Most devices of one claim. */
export const DEVICES_MAX = 16;
/** Longest hold, milliseconds: a week. */
export const TTL_MAX_MS: number = 7 * 24 * 60 * 60 * 1000;

/** Throws RangeError or SyntaxError for a claim request that makes no sense, whatever the host looks like. */
export function checkRequest(request: ClaimRequest): void {
  const { devices, ttlMs, nowMs, fence, id } = request;
  if (id === "") throw new RangeError("Claim id out of range: expected a text, got nothing");
  checkWhole("Time to live in ms", ttlMs, { least: 1, most: TTL_MAX_MS });
  checkWhole("Time in ms", nowMs, { least: 0, most: Number.MAX_SAFE_INTEGER - TTL_MAX_MS });
  checkWhole("Fence", fence, { least: 1, most: Number.MAX_SAFE_INTEGER });
  checkWhole("Number of devices", devices.length, { least: 1, most: DEVICES_MAX });
  const uuids = devices.map(({ uuid }) => parseUuid(uuid));
  const twice = uuids.find((uuid, index) => uuids.indexOf(uuid) !== index);
  if (twice !== undefined) throw new RangeError(`UUID ${twice} is given to two devices`);
  for (const { offers } of devices) for (const pair of offers) checkOffer(request.host, pair);
}

/** A destination stands on the host; what is made there is a type, what is claimed as it is a function. */
function checkOffer(host: string, { destination: { subject, framework } }: Pair): void {
  if (subject.host !== host) {
    throw new RangeError(`Offer on ${quoteText(subject.host)}: expected the claim's host ${quoteText(host)}`);
  }
  if ((subject.kind === "type") === (framework === "function")) {
    throw new RangeError(`Offer ${quoteText(subject.id)}: expected a type to make a device of, or a function as it is`);
  }
}

function checkWhole(name: string, value: number, range: { readonly least: number; readonly most: number }): void {
  if (Number.isSafeInteger(value) && value >= range.least && value <= range.most) return;
  throw new RangeError(`${name} out of range: expected ${range.least} to ${range.most}, got ${value}`);
}
