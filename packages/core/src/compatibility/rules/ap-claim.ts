// SPDX-License-Identifier: Apache-2.0

import type { Apqn } from "../../device/ap-matrix.ts";
import type { Reading } from "../../device/evidence.ts";
import type { MigrationProfile } from "../../device/migration-profile.ts";
import { nothingAt, sideOf, sidesOf } from "../side.ts";
import { findings, NO_FINDINGS, type ClaimValue, type Findings } from "../verdict.ts";
import { formatApqn, formatApqns, formatDomains, hasSameQueues, isApNumber } from "./apqn.ts";

type Known<T> = Extract<Reading<T>, { readonly kind: "known" }>;
type Queues = Known<readonly Apqn[]>;
type Domains = Known<readonly number[]>;

/**
 * How the destination comes to hold the source's queues. A device that is yet to be created is given them by claims. One
 * that exists has to hold them already, unless its driver takes `ap_config`, which replaces all three masks at once: then
 * a differing set is a claim (the later revision's rule), otherwise a refusal (the first revision's).
 */
export function planApMatrix(destination: MigrationProfile, queues: Queues, domains: Domains): Findings {
  if (!isProduct(queues.value) || !domains.value.every(isApNumber)) {
    const text = "the source's queues are not all pairs of some adapters and some domains, so no matrix makes them";
    const source = sideOf(queues, formatApqns);
    return findings({ missing: [{ rule: "R9", code: "ap_matrix_not_product", text, source }] });
  }
  if (destination.subject.kind === "type")
    return findings({ claims: claimsAtType(destination, queues.value, domains.value) });
  return checkExisting(destination, queues, domains);
}

/** The text of `ap_config`: three masks of 256 bits, of which the leftmost is number 0. */
export function formatApConfig(queues: readonly Apqn[], controlDomains: readonly number[]): string {
  const adapters = formatMask(queues.map(({ adapter }) => adapter));
  return `${adapters},${formatMask(queues.map(({ domain }) => domain))},${formatMask(controlDomains)}`;
}

function formatMask(numbers: readonly number[]): string {
  const bits = numbers.reduce((mask, number) => mask | (1n << BigInt(255 - number)), 0n);
  return `0x${bits.toString(16).padStart(64, "0")}`;
}

/** The kernel assigns adapters and domains and makes every pair of them a queue. */
function isProduct(queues: readonly Apqn[]): boolean {
  const adapters = new Set(queues.map(({ adapter }) => adapter));
  const domains = new Set(queues.map(({ domain }) => domain));
  return new Set(queues.map(formatApqn)).size === adapters.size * domains.size;
}

function takesApConfig({ apBus }: MigrationProfile): boolean | undefined {
  const features = apBus?.features;
  if (features === undefined || features.kind === "unreadable") return undefined;
  return features.kind === "known" && features.value.includes("ap_config");
}

/** Without `ap_config` the masks are assigned number by number, which every kernel with vfio-ap can do. */
function claimsAtType(
  destination: MigrationProfile,
  queues: readonly Apqn[],
  controlDomains: readonly number[],
): readonly ClaimValue[] {
  if (takesApConfig(destination) === true) return [claim("ap_config", formatApConfig(queues, controlDomains))];
  return [
    ...ascending(queues.map(({ adapter }) => adapter)).map((number) => claim("assign_adapter", String(number))),
    ...ascending(queues.map(({ domain }) => domain)).map((number) => claim("assign_domain", String(number))),
    ...ascending(controlDomains).map((number) => claim("assign_control_domain", String(number))),
  ];
}

function claim(attribute: string, value: string): ClaimValue {
  return { rule: "R9", attribute, value };
}

function ascending(numbers: readonly number[]): readonly number[] {
  return [...new Set(numbers)].toSorted((a, b) => a - b);
}

function checkExisting(destination: MigrationProfile, queues: Queues, domains: Domains): Findings {
  const nowhere = nothingAt(destination, `AP matrix of ${destination.subject.id}`);
  const matrix = destination.ap?.matrix ?? nowhere;
  const control = destination.ap?.controlDomains ?? nowhere;
  const sides = sidesOf(queues, matrix, formatApqns);
  if (matrix.kind !== "known" || control.kind !== "known") {
    const text = "the matrix of the destination device is not known";
    return findings({ missing: [{ rule: "R9", code: "ap_destination_matrix_unknown", text, ...sides }] });
  }
  const lacking = domains.value.filter((domain) => !control.value.includes(domain));
  if (hasSameQueues(queues.value, matrix.value) && lacking.length === 0) return checkVisible(destination, queues);
  const takes = takesApConfig(destination);
  if (takes === undefined) {
    const text = "the matrices differ, and it is not known whether the destination's driver takes ap_config";
    return findings({ missing: [{ rule: "R9", code: "ap_features_unknown", text, ...sides }] });
  }
  if (takes) {
    const text = "the matrices differ, and ap_config replaces the destination's: the later revision's rule is applied";
    const claims = [claim("ap_config", formatApConfig(queues.value, domains.value))];
    return findings({ claims, notes: [{ rule: "R9", code: "ap_rule_later", text }] });
  }
  return refuseMatrix(destination, { sides, lacking: formatDomains(lacking) });
}

function refuseMatrix(
  { type }: MigrationProfile,
  difference: { readonly sides: ReturnType<typeof sidesOf>; readonly lacking: string },
): Findings {
  const { sides, lacking } = difference;
  const detail = lacking === "" ? "" : `, which lacks the control domains ${lacking}`;
  const text = `the source holds ${sides.source.value ?? ""} and the destination device ${sides.destination.value ?? ""}${detail}`;
  const remedy = type.kind === "known" ? { remedy: { kind: "recreate", type: type.value } as const } : {};
  const note =
    "the destination's driver does not take ap_config: the first revision's rule, equal matrices, is applied";
  return findings({
    reasons: [{ rule: "R9", code: "ap_matrix_differs", text, ...sides, ...remedy }],
    notes: [{ rule: "R9", code: "ap_rule_first", text: note }],
  });
}

/** A queue that is assigned and that the guest would not see is not bound or not online at the destination now. */
function checkVisible(destination: MigrationProfile, queues: Queues): Findings {
  const guest = destination.ap?.guestMatrix ?? nothingAt(destination, "guest_matrix");
  const sides = sidesOf(queues, guest, formatApqns);
  if (guest.kind === "absent") return NO_FINDINGS;
  if (guest.kind === "unreadable") {
    const text = `the destination's guest_matrix cannot be read (${guest.why})`;
    return findings({ missing: [{ rule: "R9", code: "ap_destination_matrix_unknown", text, ...sides }] });
  }
  const seen = new Set(guest.value.map(formatApqn));
  const hidden = queues.value.filter((queue) => !seen.has(formatApqn(queue)));
  if (hidden.length === 0) return NO_FINDINGS;
  const text = `a guest of the destination device would not see ${formatApqns(hidden)} now`;
  const remedy = {
    kind: "change-setting",
    setting: `AP queues ${formatApqns(hidden)} on ${destination.subject.host}`,
    value: "online and bound to vfio_ap, with every other queue of their adapters and domains in the matrix",
  } as const;
  return findings({ reasons: [{ rule: "R9", code: "ap_queue_filtered", text, ...sides, remedy }] });
}
