// SPDX-License-Identifier: Apache-2.0

import type { LedgerDocument } from "@berth/core/claim/ledger-document";
import { holdsRoom } from "@berth/core/claim/transitions";
import type { DoneAnswer } from "@berth/core/protocol/api/control-answers";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { Caller } from "../claims/claim-book.ts";
import { keyOf } from "../documents/keys.ts";
import { parseStored } from "../replica/read-document.ts";
import type { Held } from "../replica/replica.ts";
import { TRANSACTION_MAX, type Write } from "../store/store.ts";
import { auditOf, compareWith, contended, doneAnswer, requireHost, type OrderParts } from "./order.ts";

/** What goes with a host, in one transaction. Shapes may be other hosts' too, and the audit stays. */
const KINDS = ["inventory", "reported", "agent", "cordon", "adoption", "ledger"] as const;

/** Most times that it is tried again because the ledger was written in between. */
const ATTEMPTS = 8;

/**
 * Forgets a host. Its ended claims go first, a part at a time, and the host with its empty ledger last: whatever is done
 * when the server dies, asking again finishes it. See `HostOrders.forget`.
 */
export async function forgetHost(parts: OrderParts, host: string, { principal }: Caller): Promise<DoneAnswer> {
  const { replica } = parts;
  let ledger = requireHost(parts, host).ledger;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    requireNoClaims(parts, host, ledger);
    const deletes = replica.listClaims(host).map(({ document }) => deleteOf(keyOf("claim", document.id)));
    for (let from = 0; from < deletes.length; from += TRANSACTION_MAX) {
      await replica.store.transact({ compares: [], writes: deletes.slice(from, from + TRANSACTION_MAX) });
    }
    const key = keyOf("ledger", host);
    const answer = await replica.store.transact({
      compares: [compareWith(key, ledger?.revision)],
      writes: [
        ...KINDS.map((kind) => deleteOf(keyOf(kind, host))),
        auditOf(parts, { host, action: "host.forget", principal }),
      ],
    });
    if (answer.kind === "written") {
      await replica.reached(answer.revision);
      return doneAnswer(parts, { host, changed: true, claims: [] });
    }
    const document = answer.failed[0]?.document;
    ledger = document && (parseStored(document) as Held<LedgerDocument>);
    await replica.reached(answer.revision);
  }
  throw contended(host);
}

function requireNoClaims({ replica }: OrderParts, host: string, ledger: Held<LedgerDocument> | undefined): void {
  const open = replica.listClaims(host).filter(({ document }) => holdsRoom(document.state));
  const ids = new Set([
    ...(ledger?.document.entries ?? []).map(({ claim }) => claim),
    ...open.map(({ document }) => document.id),
  ]);
  if (ids.size === 0) return;
  throw new BerthError("host_holds_claims", `Host ${JSON.stringify(host)} holds ${ids.size} claims`, {
    expected: "claims that were released, or a host that was declared fenced",
    details: [...ids].toSorted().slice(0, 20),
  });
}

function deleteOf(key: string): Write {
  return { kind: "delete", key };
}
