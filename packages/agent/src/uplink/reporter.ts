// SPDX-License-Identifier: Apache-2.0

import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import type { ReportAnswer } from "@berth/core/protocol/agent/agent-wire";
import { BerthError } from "@berth/core/protocol/berth-error";
import { decideReport, reportWithShapes } from "@berth/core/report/decide-report";
import type { HelloAnswer } from "@berth/core/report/hello";
import type { Digest, Hash } from "@berth/core/report/inventory";
import type { Report, ReportOrder } from "@berth/core/report/report";
import { splitSnapshot, type SplitSnapshot } from "@berth/core/report/split-snapshot";

/** What the server that welcomed the agent knows of its host. */
export type KnownReport = Extract<HelloAnswer, { readonly kind: "welcome" }>["known"];

/** Brings what a host shows to the server, in as few bytes as it takes. */
export interface Reporter {
  /** Goes on from what a server said that it knows. Before the first report of a session. */
  goOnFrom(known: KnownReport): void;
  /**
   * Reports a snapshot until the server has taken it. Throws what `ask` throws, and BerthError `server_answer_malformed`
   * where the server comes to no end.
   */
  report(snapshot: HostSnapshot, ask: (report: Report) => Promise<ReportAnswer>): Promise<void>;
  /** Of the last report that was taken. */
  readonly digest: Digest | undefined;
  /** A raw text that the last report that was taken left on this host. */
  findText(path: string): string | undefined;
}

/** A server asks for a snapshot, then for shapes, then for those of shapes; more is no conversation. */
const ROUNDS_MAX = 8;

/** Makes the reporter of one life of an agent. Of all snapshots it keeps the split of the last one that was taken. */
export function makeReporter({ generation, hash }: { readonly generation: number; readonly hash: Hash }): Reporter {
  let acknowledged: SplitSnapshot | undefined;
  let known: KnownReport;
  let sequence = 0;
  const next = (): ReportOrder => {
    sequence += 1;
    return { generation, sequence };
  };
  return {
    goOnFrom: (told) => {
      known = told;
      // A lost answer, or another replica: what this server does not have is no base for a delta.
      if (acknowledged?.digest !== told?.digest) acknowledged = undefined;
      if (told?.generation === generation) sequence = Math.max(sequence, told.sequence);
    },
    report: async (snapshot, ask) => {
      const current = splitSnapshot(snapshot, hash);
      const before = acknowledged ?? (known?.digest === current.digest ? current : undefined);
      await converse({ current, next, ask }, decideReport(before, current, next()));
      // An unchanged host keeps the very object it has: nothing is turned over from scan to scan.
      if (acknowledged?.digest !== current.digest) acknowledged = current;
      known = undefined;
    },
    findText: (path) => acknowledged?.texts.get(path),
    get digest() {
      return acknowledged?.digest;
    },
  };
}

interface Conversation {
  readonly current: SplitSnapshot;
  readonly next: () => ReportOrder;
  readonly ask: (report: Report) => Promise<ReportAnswer>;
}

async function converse({ current, next, ask }: Conversation, first: Report): Promise<void> {
  const asked = new Set<Digest>();
  let report = first;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const answer = await ask(report);
    if (answer.kind === "applied") {
      if (answer.digest === current.digest) return;
      throw malformed(`The server took a report of ${current.digest} for one of ${String(answer.digest).slice(0, 80)}`);
    }
    if (answer.kind === "need-shapes") for (const digest of answer.shapes) asked.add(digest);
    report = reportWithShapes(current, next(), [...asked]);
  }
  throw malformed(`The server asked for more ${ROUNDS_MAX} times and took nothing`);
}

function malformed(message: string): BerthError {
  return new BerthError("server_answer_malformed", message, { place: "POST /v1/agent/reports" });
}
