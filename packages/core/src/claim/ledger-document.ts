// SPDX-License-Identifier: Apache-2.0

import type { Occupant } from "../capacity/pool.ts";
import type { Claim } from "./claim.ts";
import { parseLedgerEntries } from "./parse-ledger.ts";
import { holdsRoom } from "./transitions.ts";

/** What one claim holds on a host. */
export interface LedgerEntry {
  readonly claim: string;
  readonly fence: number;
  /** In the order of the claim's devices. */
  readonly devices: readonly Occupant[];
}

/** The document `ledger/<host>`: everything that claims hold on one host, whether the host shows it yet or not. */
export interface LedgerDocument {
  readonly host: string;
  /** The highest fence that was ever given out on the host: it never falls, also when claims end. */
  readonly fence: number;
  /** Sorted by claim id. */
  readonly entries: readonly LedgerEntry[];
}

/** Largest ledger to which a claim is added, bytes of UTF-8 JSON. */
export const LEDGER_MAX: number = 16 * 1024;
/** Largest ledger that is read: fences grow by some digits also where no claim fits any more. */
const READ_MAX: number = 2 * LEDGER_MAX;

/** The ledger of a host on which nothing was ever claimed. */
export function emptyLedger(host: string): LedgerDocument {
  return { host, fence: 0, entries: [] };
}

/** The fence of the next change on a host: higher than every fence before it. */
export function nextFence(ledger: LedgerDocument): number {
  return ledger.fence + 1;
}

/**
 * The ledger with what a claim holds; the same ledger where the claim stands in it as it is. A claim that holds no room
 * is taken out. Throws RangeError for a claim of another host, and where the document would be too large for a new claim: what
 * holds a place can always be changed, or it could not be given back.
 */
export function addClaim(ledger: LedgerDocument, claim: Claim): LedgerDocument {
  if (claim.host !== ledger.host) {
    throw new RangeError(`Cannot add claim ${claim.id} to the ledger of ${ledger.host}: it is on ${claim.host}`);
  }
  if (!holdsRoom(claim.state)) return removeClaim(ledger, claim.id);
  const entry = { claim: claim.id, fence: claim.fence, devices: claim.devices.map(({ occupant }) => occupant) };
  const others = ledger.entries.filter(({ claim: id }) => id !== claim.id);
  const next: LedgerDocument = {
    host: ledger.host,
    fence: Math.max(ledger.fence, claim.fence),
    entries: [...others, entry].toSorted((a, b) => (a.claim < b.claim ? -1 : 1)),
  };
  const isNew = others.length === ledger.entries.length;
  const text = JSON.stringify(next);
  const size = countBytes(text);
  if (isNew && size > LEDGER_MAX) {
    const held = next.entries.reduce((sum, { devices }) => sum + devices.length, 0);
    throw new RangeError(
      `Ledger of ${ledger.host} out of range: expected at most ${LEDGER_MAX} bytes, got ${size} for ${held} devices of ${next.entries.length} claims`,
    );
  }
  return !isNew && text === JSON.stringify(ledger) ? ledger : next;
}

/** The ledger without a claim; the same ledger where the claim does not stand in it. The fence stays. */
export function removeClaim(ledger: LedgerDocument, claimId: string): LedgerDocument {
  const entries = ledger.entries.filter(({ claim }) => claim !== claimId);
  return entries.length === ledger.entries.length ? ledger : { ...ledger, entries };
}

/** Everything that claims hold, for `applyLedger` of core/capacity. */
export function ledgerOccupants(ledger: LedgerDocument): readonly Occupant[] {
  return ledger.entries.flatMap(({ devices }) => devices);
}

/** Writes the document that is stored. */
export function formatLedger(ledger: LedgerDocument): string {
  return JSON.stringify(ledger);
}

/** Reads a stored document. Throws SyntaxError where it is no ledger, and RangeError where it is too large. */
export function parseLedger(text: string): LedgerDocument {
  const size = countBytes(text);
  if (size > READ_MAX) {
    throw new RangeError(`Ledger out of range: expected at most ${READ_MAX} bytes, got ${size}`);
  }
  return parseLedgerEntries(text);
}

/** Bytes of a text in UTF-8. */
function countBytes(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x80) continue;
    // Each half of a surrogate pair is two of its four bytes; half a pair alone is written as three.
    bytes += code < 0x800 || isPaired(text, at) ? 1 : 2;
  }
  return bytes;
}

/** Whether a half of a surrogate pair stands here beside the other half. */
function isPaired(text: string, at: number): boolean {
  const code = text.charCodeAt(at) & 0xfc00;
  if (code === 0xd800) return (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
  return code === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
}
