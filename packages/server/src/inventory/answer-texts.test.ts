// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NO_MEMORY, type Memory, type Pair } from "@berth/core/compatibility/pair";
import { pairKey } from "@berth/core/compatibility/pair-key";
import type { LoadedPack } from "@berth/core/compatibility/packs/pack";
import { STRICT_POLICY } from "@berth/core/compatibility/policy";
import { pairOf, profile } from "@berth/core/compatibility/test-profile";
import { createMigrationIndex } from "@berth/core/inventory/migration-index";
import { judgePair } from "@berth/core/placement/judge";
import { fillTemplate, settleTemplate } from "./answer-template.ts";
import { AnswerTexts } from "./answer-texts.ts";
import { formOfProfile } from "./evidence-holes.ts";

const index = createMigrationIndex({ judge: () => ({ kind: "compatible", grade: 0 }) });

/** Speaks for every device of the default profile and says nothing. */
const PACK: LoadedPack = {
  digest: "sha256:0",
  pack: { pack: "berth.pack/v1", name: "p", version: "1", match: { modules: ["vgpu"] }, rules: [] } as never,
};

function textOf(texts: AnswerTexts, { source, destination, policy, packs, memory }: Pair): string {
  texts.restOn({ policy, packs, memory, index });
  const from = texts.know(source);
  const to = texts.know(destination);
  const { text } = texts.answerPair(from, to);
  if (typeof text === "string") return text;
  const out: string[] = [];
  fillTemplate(settleTemplate(text, to.form), from, out);
  return out.join("");
}

function expectedOf(pair: Pair): string {
  const { verdict, platform } = judgePair(pair);
  return `"verdict":${JSON.stringify(verdict)},"platform":${JSON.stringify(platform)}`;
}

describe("formOfProfile()", () => {
  const plain = profile();
  const sameForm = {
    "another host": profile({ host: "b" }),
    "another parent on the PCI bus": profile({ parent: "0001:02:03.4" }),
    "another id": profile({ id: "bbbbbbbb-0000-4000-8000-000000000002" }),
  };
  const otherForm = {
    "another value": profile({ type: "nvidia-232" }),
    "a fact that is absent": profile({ srcversion: undefined }),
    "a parent off the PCI bus": profile({ parent: "matrix" }),
    "a type in place of a device": profile({ subject: "type" }),
    "evidence without its text": {
      ...plain,
      type: { ...plain.type, evidence: { host: "a", source: "sysfs", path: "/sys/test/type" } as const },
    },
    "evidence whose text stays on its host": {
      ...plain,
      type: { ...plain.type, evidence: { ...plain.type.evidence, textOnHost: true } as const },
    },
    "evidence of another source": {
      ...plain,
      type: { ...plain.type, evidence: { ...plain.type.evidence, source: "declaration" } as const },
    },
  };
  it("does not take what stands beside an evidence for what stands in it", () => {
    const { evidence } = plain.type;
    const form = (type: object): unknown => formOfProfile({ ...plain, type: { ...plain.type, ...type } }).key;
    assert.notEqual(form({ evidence: { ...evidence, x: 1 } }), form({ evidence, x: 1 }));
  });
  for (const [name, other] of Object.entries(sameForm)) {
    it(`finds one form in spite of ${name}`, () => assert.equal(formOfProfile(other).key, formOfProfile(plain).key));
  }
  for (const [name, other] of Object.entries(otherForm)) {
    it(`finds another form for ${name}`, () => assert.notEqual(formOfProfile(other).key, formOfProfile(plain).key));
  }
  it("does not take one list for another that reads alike when it is joined", () => {
    const form = (items: readonly string[]): unknown => formOfProfile(profile({ compatible: { x: items } })).key;
    assert.notEqual(form(["a,b"]), form(["a", "b"]));
    assert.notEqual(form(["1", "2"]), form(['1,1"2']));
  });
  it("finds no form where a value holds characters that stand for holes", () => {
    assert.equal(formOfProfile(profile({ module: "\ue000\ue100\ue010" })).key, undefined);
  });
});

describe("AnswerTexts", () => {
  const source = profile({ migrationVersion: "v1" });
  const destination = profile({ host: "b", subject: "type", migrationVersion: "v2" });
  const key = pairKey(pairOf(source, destination)) ?? "";
  const answered = (accepted: boolean): Memory => ({ ...NO_MEMORY, probes: { [key]: { accepted, host: "b" } } });

  it("answers by the memory, the packs and the policy that it is told of last", () => {
    const texts = new AnswerTexts();
    // Each differs from the one before in one object alone.
    const first = pairOf(source, destination);
    const accepted = { ...first, memory: answered(true) };
    const refused = { ...first, memory: answered(false) };
    const assumed = { ...refused, policy: { ...STRICT_POLICY, assumePlatform: true } };
    const pairs: readonly Pair[] = [first, accepted, refused, assumed, { ...assumed, packs: [PACK] }];
    assert.equal(new Set(pairs.map(expectedOf)).size, pairs.length);
    for (const pair of [...pairs, ...pairs.toReversed()]) {
      for (let time = 0; time < 4; time += 1) assert.equal(textOf(texts, pair), expectedOf(pair));
    }
  });

  it("writes the third pair of two forms from a template, with the evidence of its own ends", () => {
    const texts = new AnswerTexts();
    const none: readonly LoadedPack[] = [];
    const pair = (host: string): Pair =>
      pairOf(profile({ host, id: `id ${host}` }), profile({ host: `${host}2` }), { packs: none });
    for (const host of ["one", "two", "three", 'f"our'])
      assert.equal(textOf(texts, pair(host)), expectedOf(pair(host)));
    const { policy, packs, memory, ...ends } = pair("five");
    texts.restOn({ policy, packs, memory, index });
    const { text } = texts.answerPair(texts.know(ends.source), texts.know(ends.destination));
    assert.equal(typeof text, "object");
  });

  it("judges each pair by itself where its texts name what looks like a hole", () => {
    const texts = new AnswerTexts();
    const packs: readonly LoadedPack[] = [];
    const strange = [
      profile({ module: "\ue000\ue100\ue010" }),
      profile({ facts: { qemu_blocked_reasons: "ffff:fe:1f.7" } }),
    ];
    for (const end of strange) {
      for (const parent of ["0000:00:10.0", "0000:00:11.0", "0000:00:12.0"]) {
        const pair = pairOf({ ...end, subject: { ...end.subject, parent } as never }, destination, { packs });
        assert.equal(textOf(texts, pair), expectedOf(pair));
      }
    }
  });
});
