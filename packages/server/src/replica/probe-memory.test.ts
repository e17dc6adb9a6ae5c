// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ProbeReply } from "@berth/core/provision/desired-state";
import type { ProbeDocument } from "../documents/documents.ts";
import { memoryOfProbes } from "./probe-memory.ts";

type Said = "accepted" | "refused" | "not-asked" | undefined;

function probeOf(
  id: string,
  said: Said,
  parts: { readonly at?: number; readonly level?: "type" | "device"; readonly pair?: string } = {},
): ProbeDocument {
  const { at = 1, level = "type", pair = "pair" } = parts;
  const outcomes: Record<NonNullable<Said>, ProbeReply["outcome"]> = {
    accepted: { kind: "accepted" },
    refused: { kind: "refused", errno: "EINVAL" },
    "not-asked": { kind: "not-asked", reason: { code: "made_up", text: "Made up" } },
  };
  const place = level === "type" ? ({ kind: "type", parent: "p", type: "drv-a" } as const) : undefined;
  return {
    id,
    host: `host of ${id}`,
    wanted: { id, at: place ?? { kind: "device", device: "d" }, version: "v", driverPrefix: "drv" },
    pairKey: pair,
    source: { host: "src", subject: "device" },
    principal: "test",
    createdAtMs: 0,
    ...(said === undefined ? {} : { reply: { id, outcome: outcomes[said] }, answeredAtMs: at }),
  };
}

const YES = { accepted: true, host: "host of 1" };
const NO = { accepted: false, errno: "EINVAL", host: "host of 1" };

const CASES: Readonly<Record<string, { readonly probes: readonly ProbeDocument[]; readonly memory: object }>> = {
  "remembers a yes": { probes: [probeOf("1", "accepted")], memory: { pair: YES } },
  "remembers a no with its errno": { probes: [probeOf("1", "refused")], memory: { pair: NO } },
  "remembers no question without an answer": { probes: [probeOf("1", undefined)], memory: {} },
  "remembers no question that no driver was asked": { probes: [probeOf("1", "not-asked")], memory: {} },
  "takes the newest answer": {
    probes: [probeOf("1", "refused", { at: 9 }), probeOf("2", "accepted", { at: 3 })],
    memory: { pair: NO },
  },
  "keeps an answer that a newer question without one follows": {
    probes: [probeOf("1", "accepted"), probeOf("2", "not-asked", { at: 9 })],
    memory: { pair: YES },
  },
  "keeps pairs apart": {
    probes: [probeOf("1", "accepted"), probeOf("2", "refused", { pair: "__proto__" })],
    memory: JSON.parse(
      '{"__proto__":{"accepted":false,"errno":"EINVAL","host":"host of 2"},"pair":{"accepted":true,"host":"host of 1"}}',
    ),
  },
  "tells what the same driver said at the other level": {
    probes: [probeOf("1", "accepted", { at: 9 }), probeOf("2", "refused", { at: 3, level: "device" })],
    memory: { pair: { ...YES, otherLevelAccepted: false } },
  },
};

describe("memoryOfProbes()", () => {
  for (const [does, { probes, memory }] of Object.entries(CASES)) {
    it(does, () => {
      const wanted = { probes: memory, successes: {} };
      assert.deepEqual(memoryOfProbes(probes), wanted);
      assert.deepEqual(memoryOfProbes(probes.toReversed()), wanted);
    });
  }
});
