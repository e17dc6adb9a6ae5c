// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { ErrorCode } from "@berth/core/protocol/error-codes";
import type { AgentEvent } from "@berth/core/provision/desired-state";
import { logChanges, type AgentLogLine } from "./agent-log.ts";
import { addFollowed, EMPTY_OUTBOX, nextTelling, removeTold, type Outbox } from "./outbox.ts";
import { nextRescanAt, scanDueAt, withHint } from "./scan-schedule.ts";
import { parseServerAddress } from "./server-address.ts";
import { classifyFailure, toServerError } from "./server-failure.ts";
import { FIRST_ROUND, planRetry, type ServerRound } from "./server-round.ts";

describe("parseServerAddress()", () => {
  const GOOD: Record<string, readonly [string, string, number]> = {
    "https://berth.example": ["https:", "berth.example", 443],
    "https://berth.example:7443/": ["https:", "berth.example", 7443],
    "https://[2001:db8::1]:7443": ["https:", "2001:db8::1", 7443],
    "http://127.0.0.1:7400": ["http:", "127.0.0.1", 7400],
    "http://[::1]": ["http:", "::1", 80],
    "http://localhost:1": ["http:", "localhost", 1],
  };
  for (const [text, [protocol, host, port]] of Object.entries(GOOD)) {
    it(`reads ${text}`, () => {
      const { origin: _origin, ...read } = parseServerAddress(text);
      assert.deepEqual(read, { protocol, host, port });
    });
  }
  const BAD = [
    "",
    "berth.example",
    "ftp://a",
    "http://berth.example",
    "http://10.0.0.1",
    "http://127.0.0.1.example",
    "https://a/b",
    "https://a?b",
    "https://a#b",
    "http://localhost.example",
    "unix:///run/x",
  ];
  for (const text of BAD) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseServerAddress(text), { code: "usage_bad_value" });
    });
  }
  it("does not show a password", () => {
    assert.throws(
      () => parseServerAddress("https://me:secret@a"),
      (error: Error) => !error.message.includes("secret"),
    );
  });
});

describe("classifyFailure()", () => {
  const KINDS: Partial<Record<ErrorCode, string>> = {
    server_unreachable: "unreachable",
    server_certificate_refused: "unreachable",
    server_answer_malformed: "unreachable",
    internal: "unreachable",
    store_unavailable: "unreachable",
    not_ready: "unreachable",
    rate_limited: "unreachable",
    session_replaced: "rejoin",
    report_out_of_order: "rejoin",
    agent_conflict: "unwelcome",
    agent_revoked: "unwelcome",
    agent_not_authenticated: "unwelcome",
    hello_old_generation: "unwelcome",
    hello_wrong_host: "unwelcome",
    protocol_unsupported: "unwelcome",
    report_malformed: "refused",
    report_too_large: "refused",
    request_malformed: "refused",
  };
  for (const [code, kind] of Object.entries(KINDS)) {
    it(`says ${kind} for ${code}`, () => {
      assert.equal(classifyFailure(new BerthError(code as ErrorCode, "x")), kind);
    });
  }
  it("has a coded error for whatever is thrown", () => {
    const coded = new BerthError("internal", "x");
    assert.equal(toServerError(coded, "a"), coded);
    assert.equal(toServerError(new TypeError("x"), "a").code, "server_unreachable");
    assert.equal(toServerError("x", "a").message, "Cannot reach the server: x");
  });
});

describe("planRetry()", () => {
  const turns = (
    kind: "unreachable" | "rejoin" | "unwelcome",
    servers: number,
    count: number,
  ): readonly ServerRound[] => {
    const rounds: ServerRound[] = [];
    let round = FIRST_ROUND;
    for (let turn = 0; turn < count; turn++)
      rounds.push((round = planRetry(round, kind, { servers, random: () => 1 })));
    return rounds;
  };
  it("tries every server once without a pause, then pauses longer and longer up to 30 s", () => {
    const rounds = turns("unreachable", 3, 12);
    assert.deepEqual(
      rounds.map(({ at }) => at),
      [1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0],
    );
    assert.deepEqual(
      rounds.map(({ delayMs }) => delayMs),
      [0, 0, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000, 30000],
    );
  });
  it("says hello again at the same server at once, and then more slowly", () => {
    const rounds = turns("rejoin", 3, 3);
    assert.deepEqual(
      rounds.map(({ at }) => at),
      [0, 0, 0],
    );
    assert.deepEqual(
      rounds.map(({ delayMs }) => delayMs),
      [0, 500, 1000],
    );
  });
  it("comes back after a minute where it is not welcome", () => {
    assert.deepEqual(
      turns("unwelcome", 2, 2).map(({ delayMs }) => delayMs),
      [60_000, 60_000],
    );
  });
  it("cuts a pause by chance, to no less than half", () => {
    const { delayMs } = planRetry({ at: 0, failures: 3, delayMs: 0 }, "unreachable", { servers: 1, random: () => 0 });
    assert.equal(delayMs, 2000);
  });
});

describe("scanDueAt()", () => {
  const CASES = {
    "is the rescan where nothing was heard": [{ rescanAtMs: 9_000, scannedAtMs: 0 }, 9_000],
    "waits for the flock of a hint": [{ rescanAtMs: 9_000, scannedAtMs: 0, hintedAtMs: 5_000 }, 5_200],
    "is a second after the last look": [{ rescanAtMs: 9_000, scannedAtMs: 4_900, hintedAtMs: 5_000 }, 5_900],
    "is not put off by a hint": [{ rescanAtMs: 5_100, scannedAtMs: 4_900, hintedAtMs: 5_000 }, 5_100],
  } as const;
  for (const [name, [times, due]] of Object.entries(CASES)) {
    it(name, () => assert.equal(scanDueAt(times), due));
  }
  it("keeps the first hint", () => {
    const hinted = withHint({ rescanAtMs: 9_000, scannedAtMs: 0 }, 5_000);
    assert.deepEqual(withHint(hinted, 5_100), hinted);
  });
  it("spreads rescans by a tenth", () => {
    assert.deepEqual([nextRescanAt(0, 30_000, () => 0), nextRescanAt(0, 30_000, () => 1)], [27_000, 33_000]);
  });
});

function event(claim: string, name: AgentEvent["event"], fence = 1): AgentEvent {
  return { claim, event: name, fence };
}
function followed(...events: readonly AgentEvent[]): Parameters<typeof addFollowed>[1] {
  return { events, notices: [], probes: [], hasChanged: false };
}
function namesOf({ events }: Pick<Outbox, "events">): readonly string[] {
  return events.map(({ claim, event: name }) => `${claim} ${name}`);
}

describe("addFollowed()", () => {
  const waiting = addFollowed(EMPTY_OUTBOX, followed(event("a", "provisioned"), event("a", "attached")));
  const CASES: Record<string, readonly [readonly AgentEvent[], readonly string[]]> = {
    "does not say again what waits": [[event("a", "provisioned"), event("a", "attached")], []],
    "does not say again the end of what waits": [[event("a", "attached")], []],
    "says what comes after it": [[event("a", "attached"), event("a", "detached")], ["a detached"]],
    "tells claims apart": [[event("a", "attached"), event("b", "attached")], ["b attached"]],
  };
  for (const [name, [events, added]] of Object.entries(CASES)) {
    it(name, () => {
      const after = addFollowed(waiting, followed(...events));
      assert.deepEqual(namesOf(after), ["a provisioned", "a attached", ...added]);
    });
  }
  const AFTER: Record<string, readonly [readonly AgentEvent[], readonly string[]]> = {
    "does not say late that a VM uses a device": [[], ["a provisioned"]],
    "says that it does not any more, and not that it did": [[event("a", "detached")], ["a provisioned", "a detached"]],
    "says the same event of another fence": [[event("a", "attached", 2)], ["a provisioned", "a attached"]],
    "says what came for another reason": [
      [{ ...event("a", "attached"), reason: { code: "x", text: "y" } }],
      ["a provisioned", "a attached"],
    ],
    "says the same event again after another": [
      [event("a", "cleared"), event("a", "provisioned")],
      ["a provisioned", "a cleared", "a provisioned"],
    ],
  };
  for (const [name, [events, left]] of Object.entries(AFTER)) {
    it(name, () => assert.deepEqual(namesOf(addFollowed(waiting, followed(...events))), left));
  }
  it("keeps the newest reply to a probe and the newest notices", () => {
    const old = { id: "p", outcome: { kind: "accepted" } } as const;
    const fresh = { id: "p", outcome: { kind: "refused", errno: "EINVAL" } } as const;
    const notice = { reason: { code: "x", text: "y" } };
    const first = addFollowed(EMPTY_OUTBOX, { ...followed(), probes: [old], notices: [notice] });
    assert.deepEqual(first.notices, [notice]);
    assert.deepEqual(addFollowed(first, { ...followed(), probes: [fresh] }), {
      events: [],
      probes: [fresh],
      notices: [],
    });
  });
});

describe("nextTelling() and removeTold()", () => {
  it("tell 256 events at a time, in order, and take out those alone", () => {
    const all = Array.from({ length: 300 }, (_, at) => event(`c${at}`, "provisioned"));
    const outbox = addFollowed(EMPTY_OUTBOX, followed(...all));
    const told = nextTelling(outbox, "with events");
    assert.deepEqual(told.events, all.slice(0, 256));
    assert.deepEqual(removeTold(outbox, told).events, all.slice(256));
    assert.deepEqual(nextTelling(outbox, "without events").events, []);
  });
});

describe("logChanges()", () => {
  it("says the same thing once in a row", () => {
    const lines: AgentLogLine[] = [];
    const log = logChanges((line) => lines.push(line));
    for (const text of ["a", "a", "b", "a"]) log({ level: "info", text });
    assert.deepEqual(
      lines.map(({ text }) => text),
      ["a", "b", "a"],
    );
  });
});
