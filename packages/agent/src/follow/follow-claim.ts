// SPDX-License-Identifier: Apache-2.0

import type { Claim, ClaimReason } from "@berth/core/claim/claim";
import { isSeenByAgents } from "@berth/core/claim/transitions";
import type { AgentEvent } from "@berth/core/provision/desired-state";
import type { RepairPlan } from "@berth/core/provision/plan-repair";
import { fenceNamesOf } from "../provision/fence-file.ts";
import type { JournalRecord } from "../provision/journal.ts";
import { listMade } from "../provision/run-view.ts";
import { findClaim } from "./find-claim.ts";
import type { HostLook } from "./host-eye.ts";
import { isOpen } from "./journal-book.ts";
import { findOwner } from "./owner-names.ts";
import { planClaim } from "./plan-claim.ts";
import { findRefusal } from "./refuse-claim.ts";
import { runSteps, settleRun } from "./run-steps.ts";
import { explainTrouble, NOTHING_SAID, sayEvent, sayNotice } from "./said.ts";
import type { Said } from "./said.ts";
import { findClaimUsage } from "./usage.ts";
import type { Order, Workbench } from "./workbench.ts";

/** Looks, does, looks: made, undone, refused. What is not settled by then is not settled by repeating it at once. */
const MAX_ROUNDS = 4;

/**
 * Brings one claim to what is wanted of it, as far as that goes now, and says what came of it. Takes the locks of the
 * pool owners it touches. What fails for a reason that may pass is tried again by a later call, after growing pauses.
 */
export async function followClaim(bench: Workbench, order: Order): Promise<Said> {
  const { claim } = order.wanted;
  const refused = bench.refusals.find(claim.id);
  if (refused !== undefined) return tellRefusal(bench, claim, refused);
  const pause = bench.pauses.find(claim.id, describeWanted(order));
  if (pause !== undefined) return sayNotice(claim.id, pause);
  try {
    const owners = claim.devices.map(({ parent }) => findOwner(bench.eye.look().snapshot, parent));
    return await bench.locks.withOwners(owners, () => followLocked(bench, order), order.signal);
  } catch (error) {
    if (order.signal?.aborted === true && error === order.signal.reason) return NOTHING_SAID;
    return sayLater(bench, order, explainTrouble(error));
  }
}

async function followLocked(bench: Workbench, order: Order): Promise<Said> {
  const { claim } = order.wanted;
  if (!isSeenByAgents(claim.state)) {
    return sayNotice(claim.id, { code: "claim_unfollowable", text: `a claim that is ${claim.state} is not followed` });
  }
  const chronicle = bench.journals.read(claim.id);
  if (chronicle.kind === "damaged") {
    return sayNotice(claim.id, { code: "journal_damaged", text: `nothing of this claim is touched: ${chronicle.why}` });
  }
  const stale = admitFences(bench, claim);
  if (stale !== undefined) return followStale(bench, order, { stale, records: chronicle.records });
  if (isOpen(chronicle.records)) {
    const left = await settleRun(bench, claim.id);
    if (left !== undefined) return sayLater(bench, order, left);
  }
  let failure: ClaimReason | undefined;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const advance = await advanceClaim(bench, order, failure);
    if (advance.kind === "said") return advance.said;
    failure = advance.failure;
  }
  return sayLater(bench, order, { code: "not_settled", text: "what was done did not stay: it is tried again later" });
}

interface Staleness {
  readonly stale: ClaimReason;
  readonly records: readonly JournalRecord[];
}

/** Nothing is done for an old fence. That nothing of such a claim is left is said all the same, where it is seen. */
function followStale(bench: Workbench, order: Order, { stale, records }: Staleness): Said {
  const { claim } = order.wanted;
  if (claim.state === "provisioning" && records.length === 0) return sayRefused(bench, order, stale);
  if (claim.state === "releasing" && !isOpen(records)) {
    const look = bench.eye.look();
    const plan = planClaim(order.wanted, findClaim(claim, look, listKnown(bench, claim)), undefined);
    if (plan.kind === "settled") return saySettled(bench, order, { plan, look });
  }
  return sayNotice(claim.id, stale);
}

type Advance =
  | { readonly kind: "said"; readonly said: Said }
  /** Look again; `failure` is why nothing more is made. */
  | { readonly kind: "again"; readonly failure: ClaimReason | undefined };

async function advanceClaim(bench: Workbench, order: Order, failure: ClaimReason | undefined): Promise<Advance> {
  const { claim } = order.wanted;
  const look = bench.eye.look();
  const found = findClaim(claim, look, listKnown(bench, claim));
  const plan = planClaim(order.wanted, found, failure ?? findRefusal(claim, look, order.adopted));
  if (plan.kind === "settled") return { kind: "said", said: saySettled(bench, order, { plan, look }) };
  if (plan.kind === "blocked") return { kind: "said", said: sayBlocked(claim, plan.reason, look) };
  const { signal } = order;
  const task = { claim: claim.id, steps: plan.steps, ...(signal === undefined ? {} : { signal }) };
  const ran = await runSteps(bench, { ...task, purpose: plan.kind === "finish" ? "make" : "unmake" });
  switch (ran.kind) {
    case "completed":
      return { kind: "again", failure: plan.kind === "undo" ? (plan.reason ?? failure) : failure };
    case "failed":
      return { kind: "again", failure: ran.reason };
    case "cancelled":
      return { kind: "said", said: NOTHING_SAID };
    case "later":
      return { kind: "said", said: sayLater(bench, order, ran.reason) };
  }
}

/** Who made what, by the journals. */
function listKnown({ journals, newest }: Workbench, { id: claim, fence }: Claim) {
  const madeBy = (one: string): readonly string[] => {
    const chronicle = journals.read(one);
    return chronicle.kind === "kept" ? listMade(chronicle.records) : [];
  };
  const others = journals.claims().filter((other) => other !== claim);
  // A claim that is younger than the state directory is told of there, or was never made.
  const isWholeRecord = newest.firstFence !== undefined && fence > newest.firstFence;
  return { made: new Set(madeBy(claim)), madeByOthers: new Set(others.flatMap(madeBy)), isWholeRecord };
}

/** Why the claim is older than what was seen of one of its identities; undefined: its fence is admitted, on disk. */
function admitFences({ fences, eye }: Workbench, claim: Claim): ClaimReason | undefined {
  const { snapshot } = eye.look();
  const names = claim.devices.flatMap(({ identity, parent }) => fenceNamesOf(identity, findOwner(snapshot, parent)));
  const admission = fences.admit(names, claim.fence);
  if (admission.kind === "admitted") return undefined;
  const { identity, seen } = admission;
  return { code: "fence_stale", text: `${identity} was seen with fence ${seen}, and this claim has ${claim.fence}` };
}

interface Settled {
  readonly plan: Extract<RepairPlan, { readonly kind: "settled" }>;
  readonly look: HostLook;
}

function saySettled(bench: Workbench, order: Order, { plan, look }: Settled): Said {
  const { claim } = order.wanted;
  bench.pauses.forget(claim.id);
  if (plan.event === "cleared") return { events: [sayEvent(claim, "cleared")], notices: [] };
  if (plan.event === "refused") {
    return sayRefused(bench, order, plan.reason ?? { code: "provision_failed", text: "the devices cannot be made" });
  }
  if (claim.state === "provisioning") return { events: [sayEvent(claim, "provisioned")], notices: [] };
  const usage = sayUsage(claim, look);
  // The control plane goes on asking for the repair until it hears that all is as claimed.
  const isRepaired = claim.state === "bound" && order.wanted.repairsDrift === true;
  return { events: isRepaired ? [sayEvent(claim, "provisioned"), ...usage] : usage, notices: [] };
}

function sayRefused(bench: Workbench, { wanted: { claim } }: Order, reason: ClaimReason): Said {
  const said = tellRefusal(bench, claim, reason);
  if (said.events.length === 0) return said;
  bench.refusals.add(claim.id, reason);
  bench.log(`claim ${claim.id}: refused: ${reason.text}`);
  return said;
}

/** What a VM uses has not vanished because a message says so: `detached` is said first, and only if it is known. */
function tellRefusal({ eye }: Workbench, claim: Claim, reason: ClaimReason): Said {
  const refused = sayEvent(claim, "refused", reason);
  if (claim.state !== "attached") return { events: [refused], notices: [] };
  const usage = findClaimUsage(eye.look().snapshot, claim.devices);
  if (usage.kind !== "unused") return sayNotice(claim.id, reason);
  return { events: [sayEvent(claim, "detached"), refused], notices: [] };
}

function sayBlocked(claim: Claim, reason: ClaimReason, look: HostLook): Said {
  const notices = [{ claim: claim.id, reason }];
  if (claim.state !== "releasing") return { events: sayUsage(claim, look), notices };
  // It stays in this state, and its reason then names who is in the way.
  const isUsed = findClaimUsage(look.snapshot, claim.devices).kind === "used";
  const isNews = isUsed && reason.code === "device_in_use" && claim.reason?.text !== reason.text;
  return { events: isNews ? [sayEvent(claim, "attached", reason)] : [], notices };
}

/** Whether a VM uses the devices, where that differs from what the claim says. Not knowing changes nothing. */
function sayUsage(claim: Claim, { snapshot }: HostLook): readonly AgentEvent[] {
  const usage = findClaimUsage(snapshot, claim.devices);
  if (claim.state === "bound" && usage.kind === "used") return [sayEvent(claim, "attached")];
  return claim.state === "attached" && usage.kind === "unused" ? [sayEvent(claim, "detached")] : [];
}

function sayLater(bench: Workbench, order: Order, reason: ClaimReason): Said {
  const { claim } = order.wanted;
  bench.pauses.add(claim.id, describeWanted(order), reason);
  bench.log(`claim ${claim.id}: ${reason.text}`);
  return sayNotice(claim.id, reason);
}

/** What is wanted of a claim, as far as another try may come to something else. */
function describeWanted({ wanted: { claim, repairsDrift } }: Order): string {
  return [claim.state, claim.fence, repairsDrift].join(" ");
}
