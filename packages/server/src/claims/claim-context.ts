// SPDX-License-Identifier: Apache-2.0

import type { Claim } from "@berth/core/claim/claim";
import { emptyLedger, type LedgerDocument } from "@berth/core/claim/ledger-document";
import { BerthError } from "@berth/core/protocol/berth-error";
import { isKeyText, keyOf } from "../documents/keys.ts";
import type { AdoptionDocument, AuditDocument, CordonDocument } from "../documents/documents.ts";
import { parseStored } from "../replica/read-document.ts";
import type { Held, Replica } from "../replica/replica.ts";
import type { Compare, StoredDocument, Transaction, TransactionAnswer, Write } from "../store/store.ts";
import { auditWrite } from "../audit/audit-trail.ts";
import type { ClaimBookParts } from "./claim-book.ts";
import { HostLanes } from "./host-lanes.ts";
import { NewestDocuments } from "./newest-documents.ts";

/** Most times that something is decided anew because others wrote in between. */
export const ATTEMPTS = 32;

/** What everything about claims works on. */
export interface ClaimContext extends ClaimBookParts {
  readonly isHeard: (host: string) => boolean;
  readonly lanes: HostLanes;
  readonly newest: NewestDocuments;
  /** Claims that are being made and not answered. */
  readonly underWay: { claims: number };
}

/** Begins without a memory of its own writes. */
export function openContext(parts: ClaimBookParts & Pick<ClaimContext, "isHeard">): ClaimContext {
  const { replica } = parts;
  return {
    ...parts,
    lanes: new HostLanes(),
    newest: new NewestDocuments(() => replica.cursor.revision),
    underWay: { claims: 0 },
  };
}

/** The newest known ledger of a host; undefined: it has none. */
export function findLedger({ replica, newest }: ClaimContext, host: string): Held<LedgerDocument> | undefined {
  return newest.find(keyOf("ledger", host), replica.findHost(host)?.ledger);
}

/** The ledger as a value: without a document nothing was ever claimed. */
export function ledgerOf(held: Held<LedgerDocument> | undefined, host: string): LedgerDocument {
  return held?.document ?? emptyLedger(host);
}

export function findAdoption({ replica, newest }: ClaimContext, host: string): Held<AdoptionDocument> | undefined {
  return newest.find(keyOf("adoption", host), replica.findHost(host)?.adoption);
}

export function findCordon({ replica, newest }: ClaimContext, host: string): Held<CordonDocument> | undefined {
  return newest.find(keyOf("cordon", host), replica.findHost(host)?.cordon);
}

/** A claim as it stands; asks the store where this process has not met it. */
export async function readClaim(context: ClaimContext, id: string): Promise<Held<Claim> | undefined> {
  if (!isKeyText(id)) return undefined;
  const key = keyOf("claim", id);
  const known = context.newest.find(key, context.replica.findClaim(id));
  if (known !== undefined || context.newest.has(key)) return known;
  requireReadable(context, key);
  return (await readDocument(context.replica, key)) as Held<Claim> | undefined;
}

/** One document, read from the store itself. Throws BerthError `store_damaged` for one that cannot be read. */
export async function readDocument(replica: Replica, key: string): Promise<Held<unknown> | undefined> {
  const document = await readStored(replica, key);
  return document && parseStored(document);
}

/** One document as it stands in the store, whatever it is. */
export async function readStored({ store }: Replica, key: string): Promise<StoredDocument | undefined> {
  const { documents } = await store.read({ key });
  return documents[0];
}

/** Refuses to go on where a document cannot be read, which looks as if there were none. Throws BerthError `store_damaged`. */
export function requireReadable({ replica }: ClaimContext, key: string): void {
  const problem = replica.listProblems().find((one) => one.key === key);
  if (problem !== undefined) throw new BerthError("store_damaged", problem.message, { place: key });
}

/** Holds while the document is as it was found. */
export function compareWith(key: string, held: { readonly revision: number } | undefined): Compare {
  return held === undefined ? { kind: "absent", key } : { kind: "revision", key, revision: held.revision };
}

/** One entry of the audit, as a write. */
export function auditOf(context: ClaimContext, change: Omit<AuditDocument, "id" | "atMs">): Write {
  return auditWrite({ id: context.newId(), atMs: context.now(), ...change });
}

/** Writes, and remembers what was written or what stood in the way. */
export async function transact(context: ClaimContext, transaction: Transaction): Promise<TransactionAnswer> {
  const answer = await context.replica.store.transact(transaction);
  const met = answer.kind === "written" ? answer : { ...answer, failed: answer.failed.filter(isRemembered) };
  context.newest.absorb(met, transaction.writes.filter(isRemembered));
  return answer;
}

/** Waits until this replica shows a revision, and forgets what was kept meanwhile. */
export async function settle(context: ClaimContext, revision: number, keys: Iterable<string>): Promise<void> {
  await context.replica.reached(revision);
  context.newest.sweep(keys);
}

/** What is decided on, and may be newer than the replica shows. Inventories are waited for, the others only compared. */
const REMEMBERED: readonly string[] = (["adoption", "claim", "cordon", "ledger"] as const).map((kind) =>
  keyOf(kind, ""),
);

function isRemembered({ key }: { readonly key: string }): boolean {
  return REMEMBERED.some((prefix) => key.startsWith(prefix));
}

/** The error of a change that met other writers every time. */
export function contended(what: string): BerthError {
  return new BerthError("claim_contended", `${what} met other writers ${ATTEMPTS} times`, {
    expected: "fewer writers at once: ask again",
  });
}
