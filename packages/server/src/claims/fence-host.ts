// SPDX-License-Identifier: Apache-2.0

import { applyEvent } from "@berth/core/claim/apply-event";
import { formatLedger, type LedgerDocument } from "@berth/core/claim/ledger-document";
import { BerthError } from "@berth/core/protocol/berth-error";
import { keyOf } from "../documents/keys.ts";
import type { Held } from "../replica/replica.ts";
import type { Caller } from "./claim-book.ts";
import {
  ATTEMPTS,
  auditOf,
  compareWith,
  contended,
  findLedger,
  ledgerOf,
  readDocument,
  requireReadable,
  settle,
  transact,
  type ClaimContext,
} from "./claim-context.ts";
import { mendLedger } from "./mend-ledger.ts";
import { moveClaims } from "./move-claims.ts";

/** Highest fence that a host is given: what is above is no count of claims. */
const FENCE_MAX: number = 2 ** 48;

/** Ends every claim of a host that an operator declares dead; see `ClaimBook.fence`. Throws BerthError unknown_host. */
export async function fenceHost(context: ClaimContext, host: string, caller: Caller): Promise<readonly string[]> {
  const ended = new Set<string>();
  const key = keyOf("ledger", host);
  const isKnown = context.replica.findHost(host) !== undefined;
  let revision = 0;
  await context.lanes.run(host, () => mendLedger(context, host, caller));
  // Claims that are made meanwhile stand in the ledger of the next look.
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const ledger = (await readDocument(context.replica, key)) as Held<LedgerDocument> | undefined;
    if (ledger === undefined && !isKnown)
      throw new BerthError("unknown_host", `There is no host ${JSON.stringify(host)}`);
    const ids = (ledger?.document.entries ?? []).map(({ claim }) => claim);
    if (ids.length === 0) {
      if (revision > 0) await settle(context, revision, [key, ...[...ended].map((id) => keyOf("claim", id))]);
      return [...ended].toSorted();
    }
    const moves = ids.map((id) => ({
      id,
      principal: caller.principal,
      action: "claim.fence",
      change: (claim: Parameters<typeof applyEvent>[0]) => applyEvent(claim, "fenced", { nowMs: context.now() }),
    }));
    const answer = await moveClaims(context, host, { moves });
    if (answer.kind === "guard-lost") throw new Error("A host is fenced without a guard");
    revision = answer.revision;
    for (const moved of answer.moved) if (moved.kind === "moved" && moved.changed) ended.add(moved.held.document.id);
  }
  throw contended(`The fencing of ${host}`);
}

/** Raises the fence of a host's ledger; see `ClaimBook.raiseFence`. Throws RangeError for what is no fence. */
export async function raiseFence(context: ClaimContext, host: string, fence: number): Promise<void> {
  if (!Number.isSafeInteger(fence) || fence < 0 || fence > FENCE_MAX) {
    throw new RangeError(`Fence out of range: expected 0 to ${FENCE_MAX}, got ${fence}`);
  }
  await context.lanes.run(host, async () => {
    const key = keyOf("ledger", host);
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const held = findLedger(context, host);
      if (held === undefined) requireReadable(context, key);
      const ledger = ledgerOf(held, host);
      if (ledger.fence >= fence) return;
      const value = formatLedger({ ...ledger, fence });
      const change = { principal: `agent ${host}`, action: "host.raise-fence", target: host };
      const audit = auditOf(context, { ...change, before: ledger.fence, after: fence });
      const answer = await transact(context, {
        compares: [compareWith(key, held)],
        writes: [{ kind: "put", key, value }, audit],
      });
      if (answer.kind === "written") return await settle(context, answer.revision, [key]);
    }
    throw contended(`The fence of ${host}`);
  });
}
