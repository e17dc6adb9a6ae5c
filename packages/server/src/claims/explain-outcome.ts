// SPDX-License-Identifier: Apache-2.0

import type { ClaimRefusal, ClaimRefusalCode } from "@berth/core/claim/claim-request";
import type { ElsewhereKind } from "@berth/core/inventory/explain-elsewhere";
import type { ClaimDecisionAnswer, TriedHost } from "@berth/core/protocol/api/control-answers";
import { explainSearch } from "../inventory/explain-search.ts";
import { searchVmCandidates } from "../inventory/vm-search.ts";
import type { ClaimContext } from "./claim-context.ts";
import type { ClaimWish } from "./claim-wish.ts";

type Outcome = Extract<ClaimDecisionAnswer, { readonly kind: "refused" }>["because"];

/** Nearest to a yes first. */
const OUTCOMES: readonly Outcome[] = ["no-room", "unknown", "no"];

const OUTCOME_OF: Readonly<Record<ClaimRefusalCode, Outcome>> = {
  claim_incompatible: "no",
  claim_undetermined: "unknown",
  claim_platform_incompatible: "no",
  claim_platform_undetermined: "unknown",
  claim_no_room: "no-room",
  claim_room_unknown: "unknown",
  claim_stranger: "no-room",
  claim_not_together: "no-room",
  claim_search_bounded: "unknown",
  claim_no_offer: "no",
  claim_not_adopted: "no",
  claim_foreign_vm: "no",
  claim_own_host: "no",
  host_cordoned: "no",
  host_silent: "unknown",
  ledger_full: "no-room",
};

const OUTCOME_OF_KIND: Readonly<Record<ElsewhereKind, Outcome | undefined>> = {
  // Those were tried, and their own reasons count.
  candidate: undefined,
  "not-now": "no-room",
  "room-unknown": "unknown",
  unknown: "unknown",
  "not-as-it-stands": "no",
  never: "no",
};

/**
 * What a refusal comes to: of all hosts the one that is nearest to a yes counts. Without a named host those that were not
 * worth a try count too.
 */
export function explainOutcome(context: ClaimContext, wish: ClaimWish, tried: readonly TriedHost[]): Outcome {
  const told = tried.map(({ reasons }) => outcomeOfHost(reasons));
  const isFinal = wish.to !== undefined || wish.wanted.foreign !== undefined || told.includes("no-room");
  return nearest(isFinal ? told : [...told, ...outcomesElsewhere(context, wish)]);
}

/** The nearest outcome of a list; `no` where it is empty. */
function nearest(outcomes: readonly Outcome[]): Outcome {
  return OUTCOMES.find((outcome) => outcomes.includes(outcome)) ?? "no";
}

/** The farthest outcome of a list; `no` where it is empty. */
function farthest(outcomes: readonly Outcome[]): Outcome {
  return OUTCOMES.findLast((outcome) => outcomes.includes(outcome)) ?? "no";
}

/**
 * A host comes to what its worst served device comes to, and that by its nearest place. What is said of all devices together
 * counts where each has a place, but is no proof of "no room" where some room is not known.
 */
export function outcomeOfHost(reasons: readonly ClaimRefusal[]): Outcome {
  const together = reasons.filter(({ device }) => device === undefined).map(({ code }) => OUTCOME_OF[code]);
  const own = reasons.filter(({ device }) => device !== undefined);
  if (together.length === 0) {
    const byDevice = Map.groupBy(own, ({ device }) => device);
    return farthest([...byDevice.values()].map((said) => nearest(said.map(({ code }) => OUTCOME_OF[code]))));
  }
  const isUncertain = own.some(({ code }) => code === "claim_room_unknown");
  return farthest(isUncertain ? [...together, "unknown"] : together);
}

/** What the hosts that were not tried come to, for a claim on any host. */
function outcomesElsewhere(context: ClaimContext, { wanted, strategy, exceptHosts }: ClaimWish): readonly Outcome[] {
  const { view } = context.replica;
  const left = [...exceptHosts, ...view.cordons, ...(wanted.host === undefined ? [] : [wanted.host])];
  const ofDevices = wanted.sources.map((source) => {
    const rows = explainSearch(view, { source, strategy, exceptHosts: left, limit: 1 });
    return nearest(rows.flatMap(({ kind }) => OUTCOME_OF_KIND[kind] ?? []));
  });
  if (wanted.claimant.kind !== "vm") return ofDevices;
  const { host, vm } = wanted.claimant;
  const { elsewhere } = searchVmCandidates(view, { host, vm, strategy, exceptHosts: left, limit: 1 });
  const together = elsewhere.map(({ outcome }) => OUTCOME_OF_KIND[outcome] ?? "no");
  return together.length > 0 ? together : [farthest(ofDevices)];
}
