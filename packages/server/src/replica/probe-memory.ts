// SPDX-License-Identifier: Apache-2.0

import type { Memory, ProbeAnswer } from "@berth/core/compatibility/pair";
import type { ProbeDocument } from "../documents/documents.ts";

/**
 * What drivers answered, as the rules read it (R8): by pair key the newest answer, with what the same driver said at the
 * other level where both were asked. A question without an answer that counts is not remembered.
 */
export function memoryOfProbes(probes: readonly ProbeDocument[]): Memory {
  const answered = probes.filter(({ reply }) => isAnswer(reply?.outcome.kind)).toSorted(compareAge);
  const newest = new Map<string, ProbeDocument>();
  const byLevel = new Map<string, ProbeDocument>();
  for (const probe of answered) {
    newest.set(probe.pairKey, probe);
    byLevel.set(levelKey(probe, probe.wanted.at.kind), probe);
  }
  const entries = [...newest].map(([key, probe]): [string, ProbeAnswer] => {
    const other = byLevel.get(levelKey(probe, probe.wanted.at.kind === "type" ? "device" : "type"));
    return [key, answerOf(probe, other)];
  });
  return { probes: Object.fromEntries(entries), successes: {} };
}

function isAnswer(kind: string | undefined): boolean {
  return kind === "accepted" || kind === "refused";
}

function levelKey({ pairKey }: ProbeDocument, level: "type" | "device"): string {
  return `${level} ${pairKey}`;
}

function answerOf({ host, reply }: ProbeDocument, other: ProbeDocument | undefined): ProbeAnswer {
  const outcome = reply?.outcome;
  return {
    accepted: outcome?.kind === "accepted",
    ...(outcome?.kind === "refused" ? { errno: outcome.errno } : {}),
    host,
    ...(other === undefined ? {} : { otherLevelAccepted: other.reply?.outcome.kind === "accepted" }),
  };
}

/** Oldest answer first; of one time, by id. */
function compareAge(a: ProbeDocument, b: ProbeDocument): number {
  const byTime = (a.answeredAtMs ?? a.createdAtMs) - (b.answeredAtMs ?? b.createdAtMs);
  return byTime !== 0 ? byTime : a.id < b.id ? -1 : 1;
}
