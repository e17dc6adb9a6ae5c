// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import type { ReportAnswer } from "@berth/core/protocol/agent/agent-wire";
import { madeUpCard } from "@berth/core/report/made-up-snapshot";
import type { Report } from "@berth/core/report/report";
import { splitSnapshot } from "@berth/core/report/split-snapshot";
import { makeReporter, type Reporter } from "./reporter.ts";

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
const EMPTY = madeUpCard({ host: "h1", parents: 20, types: 2, devices: 0 });
const FULLER = madeUpCard({ host: "h1", parents: 20, types: 2, devices: 1 });
const DIGEST = splitSnapshot(EMPTY, hash).digest;

type Answer = (report: Report) => ReportAnswer;
const applied: Answer = ({ digest, generation, sequence }) => ({ kind: "applied", digest, generation, sequence });

function start(): {
  readonly reporter: Reporter;
  readonly sent: Report[];
  readonly say: (snapshot: typeof EMPTY, ...answers: readonly Answer[]) => Promise<void>;
} {
  const reporter = makeReporter({ generation: 3, hash });
  const sent: Report[] = [];
  const say = (snapshot: typeof EMPTY, ...answers: readonly Answer[]): Promise<void> => {
    let asked = 0;
    return reporter.report(snapshot, async (report) => {
      sent.push(report);
      return (answers[asked++] ?? applied)(report);
    });
  };
  return { reporter, sent, say };
}

const orderOf = (sent: readonly Report[]): readonly (readonly [string, number, number])[] =>
  sent.map(({ kind, generation, sequence }) => [kind, generation, sequence]);

describe("makeReporter()", () => {
  it("sends all, then digests, then what changed", async () => {
    const { reporter, sent, say } = start();
    reporter.goOnFrom(undefined);
    for (const snapshot of [EMPTY, EMPTY, FULLER]) await say(snapshot);
    assert.deepEqual(orderOf(sent), [
      ["snapshot", 3, 1],
      ["unchanged", 3, 2],
      ["delta", 3, 3],
    ]);
    assert.equal(reporter.digest, splitSnapshot(FULLER, hash).digest);
  });

  it("sends a digest alone after a restart where the server has just that", async () => {
    const { reporter, sent, say } = start();
    reporter.goOnFrom({ generation: 2, sequence: 77, digest: DIGEST });
    await say(EMPTY);
    assert.deepEqual(orderOf(sent), [["unchanged", 3, 1]]);
  });

  it("goes on after the sequence that the server knows of its own generation", async () => {
    const { reporter, sent, say } = start();
    reporter.goOnFrom({ generation: 3, sequence: 7, digest: "other" });
    await say(EMPTY);
    assert.deepEqual(orderOf(sent), [["snapshot", 3, 8]]);
  });

  it("sends all of it to a replica that has something else", async () => {
    const { reporter, sent, say } = start();
    reporter.goOnFrom(undefined);
    await say(EMPTY);
    reporter.goOnFrom({ generation: 3, sequence: 1, digest: "other" });
    await say(FULLER);
    reporter.goOnFrom({ generation: 3, sequence: 2, digest: splitSnapshot(FULLER, hash).digest });
    await say(EMPTY);
    assert.deepEqual(
      orderOf(sent).map(([kind]) => kind),
      ["snapshot", "snapshot", "delta"],
    );
  });

  it("sends what is asked for, all shapes ever asked for together", async () => {
    const { sent, say } = start();
    const [first = "", second = ""] = splitSnapshot(EMPTY, hash).shapes.keys();
    const need =
      (digest: string): Answer =>
      () => ({ kind: "need-shapes", shapes: [digest] });
    await say(EMPTY, () => ({ kind: "need-snapshot", why: "x" }), need(first), need(second));
    assert.deepEqual(
      sent.map((report) => (report.kind === "unchanged" ? [] : Object.keys(report.shapes ?? {}).sort())),
      [[], [], [first], [first, second].sort()],
    );
  });

  it("gives up on a server that comes to no end, and sends all of it next time", async () => {
    const { sent, say, reporter } = start();
    const endless = Array.from({ length: 50 }, (): Answer => () => ({ kind: "need-snapshot", why: "x" }));
    await assert.rejects(say(EMPTY, ...endless), { code: "server_answer_malformed" });
    assert.equal(sent.length, 8);
    assert.equal(reporter.digest, undefined);
    await say(EMPTY);
    assert.equal(sent.at(-1)?.kind, "snapshot");
  });

  it("does not take the digest of something else for an answer", async () => {
    const { say, reporter } = start();
    await assert.rejects(
      say(EMPTY, (report) => ({ ...applied(report), digest: "other" }) as ReportAnswer),
      { code: "server_answer_malformed" },
    );
    assert.equal(reporter.digest, undefined);
  });
});
