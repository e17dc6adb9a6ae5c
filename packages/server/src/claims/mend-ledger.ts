// SPDX-License-Identifier: Apache-2.0

import {
  addClaim,
  emptyLedger,
  formatLedger,
  removeClaim,
  type LedgerDocument,
} from "@berth/core/claim/ledger-document";
import { BerthError } from "@berth/core/protocol/berth-error";
import { keyOf } from "../documents/keys.ts";
import type { Held } from "../replica/replica.ts";
import type { Write } from "../store/store.ts";
import type { Caller } from "./claim-book.ts";
import { auditOf, compareWith, readDocument, readStored, transact, type ClaimContext } from "./claim-context.ts";

/** Claims that cannot be read and are deleted in one transaction. */
const DELETED_AT_ONCE = 32;

/**
 * Makes the ledger of a host one that can be emptied, when an operator has declared the host dead: one that cannot be read is
 * written anew from the claims of the host, and what stands in it for a claim that is gone or cannot be read is taken out.
 * Nothing else ever changes such a ledger, because nobody knows what holds room there. A ledger that is in order stays.
 */
export async function mendLedger(context: ClaimContext, host: string, { principal }: Caller): Promise<void> {
  const key = keyOf("ledger", host);
  const stored = await readStored(context.replica, key);
  if (stored === undefined) return;
  const read = tryParse<LedgerDocument>(await unlessDamaged(() => readDocument(context.replica, key)));
  const before = read ?? rebuildLedger(context, host);
  const lost = await findLost(context, before);
  const after = lost.reduce((ledger, { id }) => removeClaim(ledger, id), before);
  if (after === read) return;
  const deleted = lost.flatMap(({ id, isThere }) => (isThere ? [keyOf("claim", id)] : [])).slice(0, DELETED_AT_ONCE);
  const change = { principal, action: "host.mend-ledger", target: host, after: { lost: lost.map(({ id }) => id) } };
  await transact(context, {
    compares: [compareWith(key, stored)],
    writes: [
      { kind: "put", key, value: formatLedger(after) },
      ...deleted.map((claim): Write => ({ kind: "delete", key: claim })),
      auditOf(context, change),
    ],
  });
}

/** Everything that claims of the host say that they hold; its fence is the highest that any of them was given. */
function rebuildLedger({ replica }: ClaimContext, host: string): LedgerDocument {
  const claims = replica.listClaims(host).map(({ document }) => document);
  const fence = claims.reduce((highest, claim) => Math.max(highest, claim.fence), 0);
  return claims.reduce((ledger, claim) => addClaim(ledger, claim), { ...emptyLedger(host), fence });
}

interface Lost {
  readonly id: string;
  /** There is a document, and it cannot be read. */
  readonly isThere: boolean;
}

async function findLost({ replica }: ClaimContext, { entries }: LedgerDocument): Promise<readonly Lost[]> {
  const lost: Lost[] = [];
  for (const { claim: id } of entries) {
    const held = await unlessDamaged(() => readDocument(replica, keyOf("claim", id)));
    if (held === undefined || held === "damaged") lost.push({ id, isThere: held === "damaged" });
  }
  return lost;
}

function tryParse<T>(held: Held<unknown> | "damaged" | undefined): T | undefined {
  return held === undefined || held === "damaged" ? undefined : (held.document as T);
}

async function unlessDamaged<T>(read: () => Promise<T>): Promise<T | "damaged"> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof BerthError && error.code === "store_damaged") return "damaged";
    throw error;
  }
}
