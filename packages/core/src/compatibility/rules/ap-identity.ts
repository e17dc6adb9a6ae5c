// SPDX-License-Identifier: Apache-2.0

import type { ApMatrix, Apqn } from "../../device/ap-matrix.ts";
import type { Reading } from "../../device/evidence.ts";
import type { MigrationProfile } from "../../device/migration-profile.ts";
import { combineFindings } from "../combine-findings.ts";
import type { Pair } from "../pair.ts";
import { describeGaps, factOf, nothingAt, sideOf, sidesOf } from "../side.ts";
import { findings, NO_FINDINGS, type Findings } from "../verdict.ts";
import { planApMatrix } from "./ap-claim.ts";
import { checkApHardware } from "./ap-hardware.ts";
import { checkObtainable } from "./ap-obtainable.ts";
import { formatApqn, formatApqns, formatDomains, isApNumber } from "./apqn.ts";
import { speaksApi } from "./device-api.ts";

/**
 * R9 for vfio-ap: the guest sees queue numbers, so they must be the same at the destination (section 7.1).
 * Every queue of the source has to be obtainable there, on a card of the same mode and facilities and no older
 * generation; the source's control domains have to be installed. Master keys cannot be seen and are always warned of.
 */
export function checkApIdentity(pair: Pair): Findings {
  if (!speaksApi(pair, "vfio-ap")) return NO_FINDINGS;
  const queues = wantedQueues(pair.source);
  const domains = matrixPart(pair.source, "controlDomains");
  const parts: Findings[] = [];
  if (queues.kind !== "known" || !queues.value.every(isQueue)) {
    const gap = queues.kind === "unreadable" ? `cannot be read (${queues.why})` : "does not name queues";
    const source = sideOf(queues, formatApqns);
    const text = `the source's AP matrix ${gap}`;
    parts.push(findings({ missing: [{ rule: "R9", code: "ap_matrix_unknown", text, source }] }));
  } else {
    parts.push(checkObtainable(pair.destination, queues), checkApHardware(pair, queues));
    if (domains.kind === "known") parts.push(planApMatrix(pair.destination, queues, domains));
  }
  const notes = [noteFiltered(pair.source), warnOfKeys()];
  return combineFindings([...parts, checkControlDomains(pair, domains), checkBindState(pair), ...notes]);
}

function isQueue({ adapter, domain }: Apqn): boolean {
  return isApNumber(adapter) && isApNumber(domain);
}

/** What the guest sees where the kernel shows it, else what was assigned. */
function wantedQueues(source: MigrationProfile): Reading<readonly Apqn[]> {
  const guest = matrixPart(source, "guestMatrix");
  return guest.kind === "absent" ? matrixPart(source, "matrix") : guest;
}

/** Queues that are assigned and not seen do not move with the guest: said, so that nobody misses them afterwards. */
function noteFiltered(source: MigrationProfile): Findings {
  const [matrix, guest] = [matrixPart(source, "matrix"), matrixPart(source, "guestMatrix")];
  if (matrix.kind !== "known" || guest.kind !== "known") return NO_FINDINGS;
  const seen = new Set(guest.value.map(formatApqn));
  const hidden = matrix.value.filter((queue) => !seen.has(formatApqn(queue)));
  if (hidden.length === 0) return NO_FINDINGS;
  const text = `the source device is assigned ${formatApqns(hidden)} too, which its guest does not see: not asked for`;
  return findings({ notes: [{ rule: "R9", code: "ap_matrix_filtered", text }] });
}

function matrixPart<K extends keyof ApMatrix>(profile: MigrationProfile, part: K): ApMatrix[K] | Reading<never> {
  return profile.ap?.[part] ?? nothingAt(profile, `AP matrix of ${profile.subject.id}`);
}

/** Every control domain of the source is installed at the destination host. */
function checkControlDomains({ destination }: Pair, source: Reading<readonly number[]>): Findings {
  const installed = destination.apBus?.controlDomains ?? nothingAt(destination, "AP bus");
  const sides = sidesOf(source, installed, formatDomains);
  if (source.kind !== "known" || (installed.kind !== "known" && source.value.length > 0)) {
    const text = describeGaps("the set of control domains", source, installed);
    return findings({ missing: [{ rule: "R9", code: "ap_control_domains_unknown", text, ...sides }] });
  }
  const lacking = source.value.filter((domain) => installed.kind === "known" && !installed.value.includes(domain));
  if (lacking.length === 0) return NO_FINDINGS;
  const text = `the destination host does not have the control domains ${formatDomains(lacking)}`;
  return findings({ reasons: [{ rule: "R9", code: "ap_control_domains", text, ...sides }] });
}

/**
 * Queues may not be bound or associated for Secure Execution. Sysfs shows the state only where this Linux is itself such
 * a guest; a fact can supply it, and without one nothing suggests that there is a state other than 0.
 */
function checkBindState({ source, destination }: Pair): Findings {
  const [left, right] = [factOf(source, "ap_bind_state"), factOf(destination, "ap_bind_state")];
  const sides = sidesOf(left, right);
  const ends = [left, right];
  if (ends.some((end) => end.kind === "known" && !["0", "unbound"].includes(end.value.trim().toLowerCase()))) {
    const text = "a queue is bound or associated for Secure Execution: the state has to be 0 on both sides";
    return findings({ reasons: [{ rule: "R9", code: "ap_bind_state", text, ...sides }] });
  }
  if (ends.some((end) => end.kind === "unreadable")) {
    const text = describeGaps("the bind state", left, right);
    return findings({ missing: [{ rule: "R9", code: "ap_bind_state_unknown", text, ...sides }] });
  }
  if (ends.every((end) => end.kind === "known")) return NO_FINDINGS;
  const text = "the bind state of the queues is not shown; it is 0 unless a host is itself a Secure Execution guest";
  return findings({ notes: [{ rule: "R9", code: "ap_bind_state_unseen", text }] });
}

function warnOfKeys(): Findings {
  const text = "master keys cannot be seen from here: the administrator has to make sure that they are equal";
  return findings({ notes: [{ rule: "R9", code: "ap_master_keys", text }] });
}
