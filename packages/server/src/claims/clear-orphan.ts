// SPDX-License-Identifier: Apache-2.0

import type { Claim, ClaimedDevice } from "@berth/core/claim/claim";
import { addClaim, formatLedger, nextFence } from "@berth/core/claim/ledger-document";
import { holdsRoom } from "@berth/core/claim/transitions";
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
  settle,
  transact,
  type ClaimContext,
} from "./claim-context.ts";
import { putClaim } from "./move-claims.ts";
import { claimedDeviceOf } from "./vacated-devices.ts";

/** Orphans of one claim, as the agent of their host names them. */
export interface Orphans {
  readonly host: string;
  /** The claim that they were made for, which no longer holds them. */
  readonly claim: string;
  readonly devices: readonly string[];
}

/**
 * Has orphans taken away: the claim that they were made for stands again as `releasing`, so that its agent, whose journal says
 * that it made them, removes those that nobody uses, and says so. See `ClaimBook.clearOrphans`.
 */
export async function clearOrphans(context: ClaimContext, orphans: Orphans, caller: Caller): Promise<Held<Claim>> {
  const { host } = orphans;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const written = await context.lanes.run(host, () => clearOnce(context, orphans, caller));
    if (written === undefined) continue;
    await settle(context, written.revision, [keyOf("claim", orphans.claim), keyOf("ledger", host)]);
    return written;
  }
  throw contended(`The clearing of ${host}`);
}

/** One try; undefined: others wrote in between. */
async function clearOnce(context: ClaimContext, orphans: Orphans, caller: Caller): Promise<Held<Claim> | undefined> {
  const { host, claim: id } = orphans;
  const key = keyOf("claim", id);
  const before = (await readDocument(context.replica, key)) as Held<Claim> | undefined;
  if (before !== undefined && (holdsRoom(before.document.state) || before.document.host !== host)) {
    throw new BerthError("claim_state", `Claim ${id} is ${before.document.state}: it has no orphans`);
  }
  const held = findLedger(context, host);
  const ledger = ledgerOf(held, host);
  const claim: Claim = {
    id,
    state: "releasing",
    claimant: before?.document.claimant ?? { kind: "profile" },
    host,
    devices: findDevices(context, orphans),
    fence: nextFence(ledger),
    principal: caller.principal,
    createdAtMs: context.now(),
    restsOn: [],
    packs: [],
  };
  const answer = await transact(context, {
    compares: [
      compareWith(key, before),
      compareWith(keyOf("ledger", host), held),
      compareWith(keyOf("inventory", host), context.replica.findHost(host)?.inventory),
    ],
    writes: [
      putClaim(claim),
      { kind: "put", key: keyOf("ledger", host), value: formatLedger(addClaim(ledger, claim)) },
      auditOf(context, { principal: caller.principal, action: "claim.clear", target: id, after: claim }),
    ],
  });
  if (answer.kind === "written") return { document: claim, revision: answer.revision };
  await context.replica.reached(answer.revision);
  return undefined;
}

/** The devices as the host shows them now. */
function findDevices(context: ClaimContext, { host, devices }: Orphans): Claim["devices"] {
  const viewed = context.replica.view.findHost(host);
  const found = devices.map((id): ClaimedDevice => {
    const device = viewed?.host.snapshot.devices.find((one) => one.id === id);
    const claimed =
      viewed === undefined || device === undefined ? undefined : claimedDeviceOf(viewed.host, device, context);
    if (claimed === undefined) {
      throw new BerthError("unknown_device", `What ${id} is on ${host} is not known now`, {
        expected: "a device that the host shows, with its type",
      });
    }
    return claimed;
  });
  const [first, ...rest] = found;
  if (first === undefined) throw new BerthError("unknown_device", `${host} shows no orphan of this claim`);
  return [first, ...rest];
}
