// SPDX-License-Identifier: Apache-2.0

import type { DoneAnswer } from "@berth/core/protocol/api/control-answers";
import { BerthError } from "@berth/core/protocol/berth-error";
import { auditWrite } from "../audit/audit-trail.ts";
import type { ClaimBookParts } from "../claims/claim-book.ts";
import { keyOf, type DocumentKind } from "../documents/keys.ts";
import { parseStored } from "../replica/read-document.ts";
import type { HostDocuments } from "../replica/replica.ts";
import type { Compare, StoredDocument, Write } from "../store/store.ts";

/** What orders need besides what they change. */
export type OrderParts = Pick<ClaimBookParts, "replica" | "now" | "newId">;

/** Most times that an order is decided anew because others wrote in between. */
const ATTEMPTS = 32;

/** A change of one document of a host. */
export interface Order {
  readonly host: string;
  readonly kind: Extract<DocumentKind, "cordon" | "adoption">;
  /** As the audit names it. */
  readonly action: string;
  readonly principal: string;
}

/**
 * Changes one document of a host: `change` is given what stands there, and answers what shall, the same value where it is
 * so already, and undefined for nothing. That nothing changes is compared with the store, too. A document that cannot be
 * read is taken for none, and whatever shall stand there is written over it.
 * Throws BerthError unknown_host, claim_contended.
 */
export async function order<T extends object>(
  parts: OrderParts,
  { host, kind, action, principal }: Order,
  change: (document: T | undefined) => T | undefined,
): Promise<DoneAnswer> {
  const { replica } = parts;
  const shown = requireHost(parts, host)[kind];
  const key = keyOf(kind, host);
  let held = shown as { readonly document: T | undefined; readonly revision: number } | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const [before, compare] = [held?.document, compareWith(key, held?.revision)];
    const after = change(before);
    const writes: readonly Write[] =
      after === before && !isDamaged(held)
        ? []
        : [writeOf(key, after), auditOf(parts, { host, action, principal, before, after })];
    const answer = await replica.store.transact({ compares: [compare], writes });
    if (answer.kind === "written") {
      await replica.reached(answer.revision);
      return doneAnswer(parts, { host, changed: writes.length > 0, claims: [] });
    }
    const document: StoredDocument | undefined = answer.failed[0]?.document;
    held = document && { document: tryParse<T>(document), revision: document.revision };
  }
  throw contended(host);
}

/** Whether a document stands there that cannot be read. */
function isDamaged(held: { readonly document: unknown } | undefined): boolean {
  return held !== undefined && held.document === undefined;
}

function tryParse<T>(document: StoredDocument): T | undefined {
  try {
    return parseStored(document).document as T;
  } catch {
    // What it said is not known: `order` says what comes of that.
    return undefined;
  }
}

/** What is known of a host. Throws BerthError unknown_host where it was neither enrolled nor has reported. */
export function requireHost({ replica }: OrderParts, host: string): HostDocuments {
  const found = replica.findHost(host);
  if (found?.inventory !== undefined || found?.agent !== undefined) return found;
  throw new BerthError("unknown_host", `There is no host ${JSON.stringify(host)}`);
}

export function doneAnswer({ replica }: OrderParts, done: Omit<DoneAnswer, "generation">): DoneAnswer {
  return { generation: replica.view.generation, ...done };
}

/** The error of an order that met other writers every time. */
export function contended(host: string): BerthError {
  return new BerthError("claim_contended", `An order about ${host} met other writers ${ATTEMPTS} times`);
}

/** One entry of the audit about a host. */
export function auditOf(
  { now, newId }: OrderParts,
  entry: Pick<Order, "host" | "action" | "principal"> & { readonly before?: unknown; readonly after?: unknown },
): Write {
  const { host, ...rest } = entry;
  return auditWrite({ id: newId(), atMs: now(), target: host, ...rest });
}

export function compareWith(key: string, revision: number | undefined): Compare {
  return revision === undefined ? { kind: "absent", key } : { kind: "revision", key, revision };
}

function writeOf(key: string, after: object | undefined): Write {
  return after === undefined ? { kind: "delete", key } : { kind: "put", key, value: JSON.stringify(after) };
}
