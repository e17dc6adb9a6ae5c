// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { HostSnapshot } from "../device/host-snapshot.ts";
import { applyReport } from "./apply-report.ts";
import { decideReport, reportWithShapes } from "./decide-report.ts";
import { parseShape, type Shape } from "./fill-shape.ts";
import type { Applied, HostState, Report } from "./report.ts";
import { anySnapshot } from "./snapshot.gen.ts";
import { splitSnapshot, type SplitSnapshot } from "./split-snapshot.ts";

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** What happens to one message and its answer. */
type Fate = "arrives" | "is lost" | "answer is lost" | "arrives twice" | "agent restarts" | "server forgets";
const FATES: readonly Fate[] = [
  "arrives",
  "is lost",
  "answer is lost",
  "arrives twice",
  "agent restarts",
  "server forgets",
];

/** An agent and a server with a network between them that the test breaks. */
class Line {
  readonly #shapes = new Map<string, Shape>();
  known: HostState | undefined;
  acknowledged: SplitSnapshot | undefined;
  #generation = 1;
  #sequence = 0;

  /** Sends what the agent has until the server has taken it, or the message is lost. */
  report(snapshot: HostSnapshot, fate: Fate): void {
    if (fate === "agent restarts") {
      this.acknowledged = undefined;
      this.#generation += 1;
      this.#sequence = 0;
    }
    if (fate === "server forgets") this.known = undefined;
    const current = splitSnapshot(snapshot, sha256);
    let report = decideReport(this.acknowledged, current, this.#next());
    const asked: string[] = [];
    for (let round = 0; round < 5; round++) {
      if (fate === "is lost") return;
      let answer = this.#receive(report);
      if (fate === "arrives twice") answer = this.#receive(report);
      if (fate === "answer is lost") return;
      if (answer.kind === "applied") {
        this.acknowledged = current;
        return;
      }
      assert.notEqual(answer.kind, "refused", JSON.stringify(answer));
      if (answer.kind === "need-shapes") asked.push(...answer.shapes);
      report = reportWithShapes(current, this.#next(), asked);
    }
    assert.fail("the agent and the server do not come to an end");
  }

  #next(): { readonly generation: number; readonly sequence: number } {
    this.#sequence += 1;
    return { generation: this.#generation, sequence: this.#sequence };
  }

  #receive(report: Report): Applied {
    const sent = JSON.parse(JSON.stringify(report)) as Report;
    const find = (digest: string): Shape | undefined => this.#shapes.get(digest);
    const answer = applyReport(this.known, sent, { host: "here", hash: sha256, catalogue: { find } });
    if (answer.kind !== "applied") return answer;
    for (const [digest, text] of answer.shapes) this.#shapes.set(digest, parseShape(text));
    this.known = answer.state;
    return answer;
  }
}

describe("decideReport() and applyReport() laws", () => {
  it("R7: whatever was lost, repeated or forgotten, after one whole exchange the server has what the agent has", () => {
    const visit = fc.tuple(fc.nat(2), fc.constantFrom(...FATES));
    fc.assert(
      fc.property(
        fc.array(anySnapshot, { minLength: 3, maxLength: 3 }),
        fc.array(visit, { maxLength: 8 }),
        (hosts, visits) => {
          const line = new Line();
          for (const [which, fate] of visits) {
            const snapshot = hosts[which];
            assert.ok(snapshot !== undefined);
            line.report(snapshot, fate);
            if (line.acknowledged !== undefined && fate !== "is lost" && fate !== "answer is lost") {
              assert.equal(line.known?.digest, line.acknowledged.digest);
              assert.equal(line.known?.digest, splitSnapshot(snapshot, sha256).digest);
            }
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it("R8: a report with any content is applied, asked about or refused, and never throws", () => {
    const junk = fc.jsonValue({ maxDepth: 4 });
    const head = { report: "berth.report/v1", host: "here", generation: 1, sequence: 1, digest: "00" } as const;
    const receiver = { host: "here", hash: sha256, catalogue: { find: () => undefined } };
    fc.assert(
      fc.property(anySnapshot, junk, junk, (snapshot, delta, inventory) => {
        const split = splitSnapshot(snapshot, sha256);
        const known = { host: "here", generation: 0, sequence: 0, digest: split.digest, inventory: split.inventory };
        const reports = [
          { ...head, kind: "delta", base: split.digest, delta },
          { ...head, kind: "delta", base: split.digest, delta: { sections: { parents: delta, self: inventory } } },
          { ...head, kind: "snapshot", inventory },
          {
            ...head,
            kind: "snapshot",
            inventory: { inventory: "berth.inventory/v1", host: "here", parents: inventory },
          },
        ];
        for (const report of reports) {
          assert.ok(
            ["need-snapshot", "refused", "need-shapes"].includes(applyReport(known, report as Report, receiver).kind),
          );
        }
      }),
      { numRuns: 40 },
    );
  });
});
