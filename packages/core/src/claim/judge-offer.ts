// SPDX-License-Identifier: Apache-2.0

import { checkMigration } from "../compatibility/check-migration.ts";
import { checkPlatform } from "../compatibility/check-platform.ts";
import type { Pair } from "../compatibility/pair.ts";
import { formatApqn } from "../compatibility/rules/apqn.ts";
import { isAggregationName } from "../compatibility/rules/dynamic-value.ts";
import type { Verdict } from "../compatibility/verdict.ts";
import { valueOf } from "../device/evidence.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import type { ClaimRefusal, RuleSays } from "./claim-request.ts";
import type { Fingerprint } from "./claim.ts";
import { fingerprintOf } from "./fingerprint.ts";

/** An offer that both verdicts say yes to: all that a take and a claimed device need to know of it. */
export interface UsableOffer {
  readonly pair: Pair;
  readonly verdict: Extract<Verdict, { readonly kind: "compatible" }>;
  readonly framework: MigrationProfile["framework"];
  readonly parent: string;
  readonly type: string;
  readonly count: number;
  readonly countAttribute?: string;
  /** Named units that the device needs: queues, or the subchannel. */
  readonly units?: readonly string[];
  readonly fingerprint: Fingerprint;
}

/** Whether an offer may be used at all, room aside. */
export type JudgedOffer =
  | { readonly kind: "usable"; readonly offer: UsableOffer }
  | { readonly kind: "refused"; readonly reasons: readonly ClaimRefusal[] };

/**
 * Judges one offer for one of a claimant's devices. With several devices each needs P2P at both ends (R10), which every
 * pair shows by itself: so an offer that cannot take part in any whole is left out before places are tried.
 */
export function judgeOffer(pair: Pair, at: { readonly device: number; readonly devices: number }): JudgedOffer {
  const { subject } = pair.destination;
  const verdict = checkMigration(pair);
  const platform = checkPlatform({ pairs: at.devices > 1 ? [pair, pair] : [pair] });
  const place = { device: at.device, parent: subject.parent, ...(subject.kind === "type" ? { type: subject.id } : {}) };
  const fingerprint = fingerprintOf(pair.destination);
  if (verdict.kind === "compatible" && platform.kind === "compatible" && fingerprint !== undefined) {
    return { kind: "usable", offer: offerOf(pair, { verdict, fingerprint }) };
  }
  const refusals = [
    refusalOf(verdict, ["claim_incompatible", "claim_undetermined"]),
    refusalOf(platform, ["claim_platform_incompatible", "claim_platform_undetermined"]),
  ];
  return {
    kind: "refused",
    reasons: refusals.flatMap((refusal) => (refusal === undefined ? [] : [{ ...refusal, ...place }])),
  };
}

/** What a verdict that is no yes says, whole; undefined for a yes. */
export function refusalOf(
  verdict: Verdict,
  [no, unknown]: readonly [ClaimRefusal["code"], ClaimRefusal["code"]],
): Pick<ClaimRefusal, "code" | "text" | "because"> | undefined {
  if (verdict.kind === "compatible") return undefined;
  const reasons = verdict.kind === "incompatible" ? verdict.reasons : [];
  const because = [...reasons, ...verdict.missing].map(saysOf);
  const text = because.map(({ rule, text: said }) => `${rule}: ${said}`).join("; ");
  return { code: verdict.kind === "incompatible" ? no : unknown, text, because };
}

function saysOf({ rule, code, text, remedy }: RuleSays): RuleSays {
  return { rule, code, text, ...(remedy === undefined ? {} : { remedy }) };
}

function offerOf(pair: Pair, found: Pick<UsableOffer, "verdict" | "fingerprint">): UsableOffer {
  const { source, destination } = pair;
  const { subject, framework } = destination;
  const units = unitsOf(pair);
  const countAttribute = found.verdict.claims.find(({ attribute }) => isAggregationName(attribute))?.attribute;
  return {
    pair,
    ...found,
    framework,
    parent: subject.parent,
    type: subject.kind === "type" ? subject.id : (valueOf(destination.type) ?? ""),
    count: valueOf(source.aggregation)?.count ?? 1,
    ...(countAttribute === undefined ? {} : { countAttribute }),
    ...(units === undefined ? {} : { units }),
  };
}

/** The queues that the source's guest sees, as R9 wants them; the destination's own subchannel. Sorted. */
function unitsOf({ source, destination }: Pair): readonly string[] | undefined {
  if (destination.subchannel !== undefined) return [destination.subchannel.id];
  if (source.ap === undefined) return undefined;
  const { guestMatrix, matrix } = source.ap;
  return (valueOf(guestMatrix.kind === "absent" ? matrix : guestMatrix) ?? []).map(formatApqn).toSorted();
}
