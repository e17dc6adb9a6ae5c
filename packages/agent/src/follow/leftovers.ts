// SPDX-License-Identifier: Apache-2.0

import { isUuid } from "@berth/core/device/address";
import { explainUsage } from "@berth/core/device/device-use";
import type { AgentNotice } from "@berth/core/provision/desired-state";
import type { Effect } from "@berth/core/provision/step";
import { identityOf, placeOf } from "../provision/effect-place.ts";
import type { JournalRecord } from "../provision/journal.ts";
import { observe } from "../provision/observe.ts";
import { listMade } from "../provision/run-view.ts";
import type { HostLook } from "./host-eye.ts";
import { isBlank, isOpen } from "./journal-book.ts";
import { listOwners } from "./owner-names.ts";
import { settleRun } from "./run-steps.ts";
import { explainTrouble, sayNotice } from "./said.ts";
import type { Workbench } from "./workbench.ts";

/**
 * Settles a claim's last run if it was interrupted, under the locks of all owners: only the journal tells what it was
 * about. Devices that were being made are taken back; devices that were being taken away, are. What is in the way.
 */
export async function recoverRun(bench: Workbench, claim: string): Promise<readonly AgentNotice[]> {
  const chronicle = bench.journals.read(claim);
  if (chronicle.kind === "damaged") {
    const text = `nothing of this claim is touched: ${chronicle.why}`;
    return sayNotice(claim, { code: "journal_damaged", text }).notices;
  }
  if (!isOpen(chronicle.records)) return [];
  const pause = bench.pauses.find(claim, "recovery");
  if (pause !== undefined) return sayNotice(claim, pause).notices;
  try {
    const owners = listOwners(bench.eye.look().snapshot);
    const left = await bench.locks.withOwners(owners, () => settleRun(bench, claim));
    if (left === undefined) return [];
    bench.pauses.add(claim, "recovery", left);
    return sayNotice(claim, left).notices;
  } catch (error) {
    return sayNotice(claim, explainTrouble(error)).notices;
  }
}

/**
 * Looks after the journals of claims that the control plane does not name any more. What was interrupted is settled;
 * a device that still stands is an orphan, told of and never removed; a journal that has nothing left to tell, goes.
 */
export async function tidyLeftovers(bench: Workbench, wanted: ReadonlySet<string>): Promise<readonly AgentNotice[]> {
  const notices: AgentNotice[] = [];
  for (const claim of bench.journals.claims().filter((one) => !wanted.has(one))) {
    notices.push(...(await recoverRun(bench, claim)));
    const chronicle = bench.journals.read(claim);
    if (chronicle.kind === "damaged" || isOpen(chronicle.records)) continue;
    const look = bench.eye.look();
    const standing = listStanding(chronicle.records, look);
    if (standing.length === 0) bench.journals.forget(claim);
    else notices.push({ claim, reason: { code: "orphan", text: describeOrphans(standing, look) }, devices: standing });
  }
  return notices;
}

/** Forgets the journal of a claim of which nothing is left, as the control plane knows by now. */
export function forgetEnded({ journals, log }: Pick<Workbench, "journals" | "log">, claim: string): void {
  if (!journals.claims().includes(claim)) return;
  const chronicle = journals.read(claim);
  if (chronicle.kind === "damaged" || !isBlank(chronicle.records)) return;
  try {
    journals.forget(claim);
  } catch (error) {
    // It goes as soon as the claim is named no more.
    log(`claim ${claim}: its journal is not forgotten: ${explainTrouble(error).text}`);
  }
}

/** UUIDs that no claim and no journal names any more are never used again: their fences are forgotten. */
export function forgetFences(
  { fences, journals }: Pick<Workbench, "fences" | "journals">,
  wanted: ReadonlySet<string>,
): void {
  if (journals.claims().some((claim) => journals.read(claim).kind === "damaged")) return;
  const named = new Set(wanted);
  for (const claim of journals.claims()) {
    const chronicle = journals.read(claim);
    for (const effect of chronicle.kind === "kept" ? listEffects(chronicle.records) : []) named.add(identityOf(effect));
  }
  const gone = [...fences.seen.keys()].filter((name) => name.startsWith("uuid ") && !named.has(name.slice(5)));
  fences.forget(gone);
}

/** Identities that a claim made, and that still have a device or a definition of mdevctl's; sorted. */
function listStanding(records: readonly JournalRecord[], { tree }: HostLook): readonly string[] {
  const defined = new Map(
    listEffects(records).flatMap((effect) =>
      effect.kind === "define" ? [[effect.uuid, placeOf(effect)] as const] : [],
    ),
  );
  return listMade(records).filter((id) => {
    const path = defined.get(id);
    if (path !== undefined && tree.resolve(path).kind === "path") return true;
    const taken: Effect = isUuid(id)
      ? { kind: "remove", uuid: id }
      : { kind: "set-vgpu-type", address: id, typeNumber: 0 };
    const sight = observe(taken, tree).kind;
    return sight !== "as-wanted" && sight !== "absent";
  });
}

function listEffects(records: readonly JournalRecord[]): readonly Effect[] {
  return records.flatMap((record) => (record.kind === "begin" ? record.steps.map(({ effect }) => effect) : []));
}

function describeOrphans(standing: readonly string[], { snapshot }: HostLook): string {
  const told = standing.map((id) => `${id} (${explainUsage(snapshot, id).text})`);
  return `no claim names ${told.join(", ")} any more: an operator has to say what becomes of it`;
}
