// SPDX-License-Identifier: Apache-2.0

import type { Claim } from "@berth/core/claim/claim";
import { formatLedger, type LedgerDocument } from "@berth/core/claim/ledger-document";
import { decideSwap, type Swap, type SwapRequest, type SwapSource } from "@berth/core/claim/swap";
import { holdsRoom } from "@berth/core/claim/transitions";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { CommitBody } from "@berth/core/protocol/api/control-requests";
import { keyOf } from "../documents/keys.ts";
import type { Held } from "../replica/replica.ts";
import type { Compare, Transaction, Write } from "../store/store.ts";
import type { Caller } from "./claim-book.ts";
import {
  ATTEMPTS,
  auditOf,
  compareWith,
  contended,
  ledgerOf,
  readClaim,
  readDocument,
  settle,
  transact,
  type ClaimContext,
} from "./claim-context.ts";
import { putClaim } from "./move-claims.ts";
import { findVacated } from "./vacated-devices.ts";

/** A move that is committed: which claim, what becomes of the devices that were left, and who says so. */
interface Commit {
  readonly id: string;
  readonly left: NonNullable<CommitBody["source"]>;
  readonly caller: Caller;
}

/**
 * Commits a move that has ended well: the destination's claim becomes the VM's own place, and what it left is given back,
 * both in one transaction (`decideSwap`). See `ClaimBook.commit`.
 */
export async function commitMove(context: ClaimContext, id: string, commit: Omit<Commit, "id">): Promise<Held<Claim>> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const held = await readClaim(context, id);
    if (held === undefined)
      throw new BerthError("unknown_claim", `There is no claim ${JSON.stringify(id.slice(0, 80))}`);
    const { host, claimant } = held.document;
    const from = claimant.kind === "profile" ? host : claimant.host;
    const answer = await inLanes(context, [host, from], () => commitOnce(context, { ...commit, id }));
    if (answer === undefined) continue;
    const { claim, revision } = answer;
    await settle(context, revision, [keyOf("claim", id), keyOf("ledger", host), keyOf("ledger", from)]);
    return { document: claim, revision };
  }
  throw contended(`The commit of claim ${id}`);
}

/** Takes the lanes of hosts in one order, so that no two wait for each other. */
async function inLanes<T>({ lanes }: ClaimContext, hosts: readonly string[], work: () => Promise<T>): Promise<T> {
  const [first, ...rest] = [...new Set(hosts)].toSorted();
  if (first === undefined) return work();
  return lanes.run(first, async () => (rest[0] === undefined ? work() : lanes.run(rest[0], work)));
}

/** One try; undefined: others wrote in between. */
async function commitOnce(
  context: ClaimContext,
  { id, left, caller }: Commit,
): Promise<{ readonly claim: Claim; readonly revision: number } | undefined> {
  const held = (await readDocument(context.replica, keyOf("claim", id))) as Held<Claim> | undefined;
  if (held === undefined) return undefined;
  const claim = held.document;
  if (claim.claimant.kind === "profile") throw refuse("swap_state", `claim ${id} is for no VM: nothing moves`);
  const ledger = await readLedger(context, claim.host);
  const found = await findSource(context, claim, { left, principal: caller.principal });
  const destination = { claim, ledger: ledgerOf(ledger, claim.host) };
  const swap = swapOrRefuse({ destination, source: found.source, nowMs: context.now() });
  if (swap.kind === "refused") throw refuse(swap.code, swap.text);
  const compares = [
    compareWith(keyOf("claim", id), held),
    compareWith(keyOf("ledger", claim.host), ledger),
    ...found.compares,
  ];
  const answer = await transact(context, swapTransaction(context, swap, { before: claim, compares, caller }));
  if (answer.kind === "conflict") {
    await context.replica.reached(answer.revision);
    return undefined;
  }
  return { claim: swap.claims[0], revision: answer.revision };
}

/** Devices that are to be taken away are a new claim of the host that the VM left. Throws BerthError ledger_full. */
function swapOrRefuse(request: SwapRequest): Swap {
  try {
    return decideSwap(request);
  } catch (error) {
    if (error instanceof RangeError) throw new BerthError("ledger_full", error.message);
    throw error;
  }
}

/** The ledger as it stands in the store: what is refused here was not refused because this server is behind. */
async function readLedger({ replica }: ClaimContext, host: string): Promise<Held<LedgerDocument> | undefined> {
  return (await readDocument(replica, keyOf("ledger", host))) as Held<LedgerDocument> | undefined;
}

interface FoundSource {
  readonly source: SwapSource;
  readonly compares: readonly Compare[];
}

/** The place that the VM left: a claim's, devices that Berth did not make, or what is to stay as it is. */
async function findSource(
  context: ClaimContext,
  claim: Claim,
  { left, principal }: { readonly left: Commit["left"]; readonly principal: string },
): Promise<FoundSource> {
  const { claimant } = claim;
  if (left === "keep" || claimant.kind === "profile") return { source: { kind: "kept" }, compares: [] };
  const { host } = claimant;
  const ledger = await readLedger(context, host);
  const compares = [compareWith(keyOf("ledger", host), ledger)];
  const own = await findOwnClaim(context, claim, ledgerOf(ledger, host));
  if (own !== undefined) {
    const source = { kind: "claimed", claim: own.document, ledger: ledgerOf(ledger, host) } as const;
    return { source, compares: [...compares, compareWith(keyOf("claim", own.document.id), own)] };
  }
  if (left === "release") {
    throw refuse("swap_mismatch", `no claim holds what the VM of claim ${claim.id} left on ${host}: keep or vacate it`);
  }
  const vacated = findVacated(context, claim);
  if (vacated.kind === "refused") throw refuse("swap_mismatch", vacated.why);
  const source = {
    kind: "vacated",
    id: context.newId(),
    devices: vacated.devices,
    ledger: ledgerOf(ledger, host),
    principal,
  } as const;
  return { source, compares: [...compares, ...vacated.compares] };
}

/** The claim of the source's host that holds the very devices that moved. */
async function findOwnClaim(
  context: ClaimContext,
  claim: Claim,
  ledger: LedgerDocument,
): Promise<Held<Claim> | undefined> {
  const moved = new Set(claim.devices.flatMap(({ source }) => source ?? []));
  const entry = ledger.entries.find(({ devices }) => devices.some(({ id }) => moved.has(id)));
  const key = keyOf("claim", entry?.claim ?? "");
  const held =
    entry === undefined ? undefined : ((await readDocument(context.replica, key)) as Held<Claim> | undefined);
  return held !== undefined && holdsRoom(held.document.state) ? held : undefined;
}

function swapTransaction(
  context: ClaimContext,
  { claims, ledgers }: Extract<Swap, { readonly kind: "swapped" }>,
  how: { readonly before: Claim; readonly compares: readonly Compare[]; readonly caller: Caller },
): Transaction {
  const puts = ledgers.map((ledger): Write => {
    return { kind: "put", key: keyOf("ledger", ledger.host), value: formatLedger(ledger) };
  });
  const { principal } = how.caller;
  const audits = claims.map((claim) => {
    const isDestination = claim.id === how.before.id;
    const action = isDestination ? "claim.commit" : "claim.vacate";
    const before = isDestination ? { before: how.before } : {};
    return auditOf(context, { principal, action, target: claim.id, ...before, after: claim });
  });
  return { compares: how.compares, writes: [...claims.map(putClaim), ...puts, ...audits] };
}

function refuse(code: "swap_state" | "swap_mismatch", text: string): BerthError {
  return new BerthError(code, text.charAt(0).toUpperCase() + text.slice(1));
}
