// SPDX-License-Identifier: Apache-2.0

import { applyEvent, type Applied } from "@berth/core/claim/apply-event";
import type { Claim } from "@berth/core/claim/claim";
import { nextFence, type LedgerDocument } from "@berth/core/claim/ledger-document";
import { holdsRoom } from "@berth/core/claim/transitions";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { ErrorCode } from "@berth/core/protocol/error-codes";
import { keyOf } from "../documents/keys.ts";
import type { Held } from "../replica/replica.ts";
import type { Caller, ClaimBook, ClaimBookParts } from "./claim-book.ts";
import { clearOrphans } from "./clear-orphan.ts";
import { commitMove } from "./commit-move.ts";
import { openContext, readClaim, settle, type ClaimContext } from "./claim-context.ts";
import { makeExpiry } from "./expire-claims.ts";
import { fenceHost, raiseFence } from "./fence-host.ts";
import { hearEvents } from "./hear-events.ts";
import { makeClaim } from "./make-claim.ts";
import { moveClaims, type Move } from "./move-claims.ts";

/** A claim book on one replica. `isHeard`: whether any server hears the agent of a host now. */
export function makeClaimBook(parts: ClaimBookParts & { readonly isHeard: (host: string) => boolean }): ClaimBook {
  const context = openContext(parts);
  return {
    claim: async (body, caller) => makeClaim(context, body, caller),
    confirm: async (id, caller) =>
      moveOne(context, id, {
        ...byCaller(caller, "claim.confirm"),
        change: (claim) => applyEvent(claim, "confirm", { nowMs: context.now() }),
      }),
    release: async (id, caller) =>
      moveOne(context, id, {
        ...byCaller(caller, "claim.release"),
        change: (claim) => applyEvent(claim, "release", { nowMs: context.now() }),
      }),
    clearOrphans: (orphans, caller) => clearOrphans(context, orphans, caller),
    commit: (id, body, caller) => commitMove(context, id, { left: body.source ?? "release", caller }),
    repair: async (id, caller) => moveOne(context, id, { ...byCaller(caller, "claim.repair"), change: askForRepair }),
    fence: (host, caller) => fenceHost(context, host, caller),
    hear: (host, events) => hearEvents(context, host, events),
    raiseFence: (host, fence) => raiseFence(context, host, fence),
    expire: makeExpiry(context),
    repairsDrift: (id) => parts.replica.findClaim(id)?.document.repairsDrift === true,
  };
}

function byCaller({ principal }: Caller, action: string): Pick<Move, "principal" | "action"> {
  return { principal, action };
}

/** Moves one claim, wherever it is; throws what keeps it from moving. */
async function moveOne(context: ClaimContext, id: string, move: Omit<Move, "id">): Promise<Held<Claim>> {
  const found = await readClaim(context, id);
  if (found === undefined) throw unknownClaim(id);
  const { host } = found.document;
  const answer = await moveClaims(context, host, { moves: [{ id, ...move }] });
  const [moved] = answer.kind === "done" ? answer.moved : [];
  if (moved === undefined || moved.kind === "unknown") throw unknownClaim(id);
  if (moved.kind === "refused") throw new BerthError(moved.code as ErrorCode, moved.text);
  await settle(context, moved.held.revision, [keyOf("claim", id), keyOf("ledger", host)]);
  return moved.held;
}

function unknownClaim(id: string): BerthError {
  return new BerthError("unknown_claim", `There is no claim ${JSON.stringify(id)}`);
}

/**
 * Marks a claim whose devices are to be made anew where they drifted. It gets a new fence, so that what the agent said
 * before is not taken for the answer.
 */
function askForRepair(claim: Claim, ledger: LedgerDocument): Applied {
  if (claim.state === "bound") {
    if (claim.repairsDrift === true) return { kind: "moved", claim };
    return { kind: "moved", claim: { ...claim, fence: nextFence(ledger), repairsDrift: true } };
  }
  const why = holdsRoom(claim.state) ? "only devices that exist and that nobody uses are made anew" : "it has ended";
  return { kind: "refused", code: "claim_state", text: `claim ${claim.id} is ${claim.state}: ${why}` };
}
