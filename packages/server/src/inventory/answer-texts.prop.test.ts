// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { NO_MEMORY, type Pair } from "@berth/core/compatibility/pair";
import { pairKey } from "@berth/core/compatibility/pair-key";
import { arbitraryPair, nearbyPair } from "@berth/core/compatibility/profile.gen";
import type { MigrationProfile } from "@berth/core/device/migration-profile";
import { createMigrationIndex } from "@berth/core/inventory/migration-index";
import { judgePair } from "@berth/core/placement/judge";
import { formatProfileDocument } from "@berth/core/protocol/profile-schema";
import { fillTemplate, settleTemplate } from "./answer-template.ts";
import { AnswerTexts, type KnownProfile } from "./answer-texts.ts";

const index = createMigrationIndex({ judge: () => ({ kind: "compatible", grade: 0 }) });

/** Names and paths that JSON writes otherwise than they are, and characters that stand for holes inside. */
const NAMES = [
  "h",
  'q"uote',
  "back\\slash",
  "line\nend",
  "\ue000\ue100\ue010",
  "ffff:fe:1f.7",
  "schön",
  "🂡",
  "",
  "__proto__",
];

/** The same profile as seen elsewhere: other hosts, paths and texts in all evidence, another subject. */
function elsewhere(profile: MigrationProfile, names: readonly string[]): MigrationProfile {
  let next = 0;
  const name = (): string => `${names[next++ % names.length] ?? ""}${next}`;
  const move = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map(move);
    const isReading = "kind" in value && typeof value.kind === "string" && "evidence" in value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]): [string, unknown] => {
        if (!isReading || key !== "evidence") return [key, move(inner)];
        const text = "text" in inner ? { text: name() } : {};
        return [key, { ...inner, host: name(), path: name(), ...text }];
      }),
    );
  };
  const { subject, ...rest } = profile;
  const isPci = /^[0-9a-f]{4}:/.test(subject.parent);
  const parent = isPci ? `00${10 + (next % 80)}:01:00.0` : `parent ${name()}`;
  const moved = { ...subject, host: name(), parent, id: name() };
  return { subject: moved, ...(move(rest) as Omit<MigrationProfile, "subject">) };
}

/** Adds texts to some evidence: those of generated profiles have none. */
function withTexts(profile: MigrationProfile, has: boolean): MigrationProfile {
  if (!has) return profile;
  const { deviceApi, type } = profile;
  return {
    ...profile,
    deviceApi: { ...deviceApi, evidence: { ...deviceApi.evidence, text: "read" } },
    type: { ...type, evidence: { ...type.evidence, text: "read too" } },
  };
}

function textOf(texts: AnswerTexts, source: KnownProfile, destination: KnownProfile): string {
  const { text } = texts.answerPair(source, destination);
  if (typeof text === "string") return text;
  const out: string[] = [];
  fillTemplate(settleTemplate(text, destination.form), source, out);
  return out.join("");
}

function expectedOf(pair: Pair): string {
  const { verdict, platform } = judgePair(pair);
  return `"verdict":${JSON.stringify(verdict)},"platform":${JSON.stringify(platform)}`;
}

const asked = fc.record({
  pair: fc.oneof(arbitraryPair, nearbyPair),
  names: fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 5 }),
  texts: fc.tuple(fc.boolean(), fc.boolean()),
});

describe("AnswerTexts", () => {
  it("A1: writes of every pair what judging it says, however often pairs of its forms were met", () => {
    let cut = 0;
    fc.assert(
      fc.property(asked, ({ pair, names, texts: [has, hasThere] }) => {
        const { policy, packs, memory } = pair;
        const texts = new AnswerTexts();
        texts.restOn({ policy, packs, memory, index });
        const ends = [
          [withTexts(pair.source, has), withTexts(pair.destination, has)],
          [withTexts(pair.source, hasThere), withTexts(pair.destination, hasThere)],
        ] as const;
        const others = ends.map(([from, to]) => [elsewhere(from, names), elsewhere(to, names.toReversed())] as const);
        for (const [source, destination] of [ends[0], ...others, ...others.toReversed(), ...ends, ...others]) {
          const [from, to] = [texts.know(source), texts.know(destination)];
          const expected = expectedOf({ ...pair, source, destination });
          assert.equal(textOf(texts, from, to), expected);
          const answer = texts.answerPair(from, to);
          if (typeof answer.text === "object") cut += 1;
          const { verdict, platform } = judgePair({ ...pair, source, destination });
          assert.equal(answer.verdict.kind, verdict.kind);
          assert.equal(answer.platform.kind, platform.kind);
          assert.equal(
            "confidence" in answer.verdict && answer.verdict.confidence,
            "confidence" in verdict && verdict.confidence,
          );
        }
      }),
      { numRuns: 300 },
    );
    assert.ok(cut > 1000, `${cut} answers came from templates`);
  });

  it("A2: writes of every profile the document that formatting it makes", () => {
    fc.assert(
      fc.property(asked, ({ pair, names, texts: [has] }) => {
        const { policy, packs, memory } = pair;
        const texts = new AnswerTexts();
        texts.restOn({ policy, packs, memory, index });
        const first = withTexts(pair.source, has);
        for (const profile of [first, elsewhere(first, names), first]) {
          const out: string[] = [];
          texts.writeDocument(texts.know(profile), out);
          assert.equal(out.join(""), JSON.stringify(formatProfileDocument(profile)));
        }
      }),
      { numRuns: 200 },
    );
  });

  it("A3: forgets what rests on another policy, other packs or another memory", () => {
    let changed = 0;
    fc.assert(
      fc.property(nearbyPair, arbitraryPair, (pair, { policy }) => {
        const texts = new AnswerTexts();
        const key = pairKey(pair);
        const refused = { ...NO_MEMORY, probes: key === undefined ? {} : { [key]: { accepted: false, host: "h" } } };
        const bases = [
          pair,
          { ...pair, policy },
          { ...pair, policy, packs: [] },
          { ...pair, policy, packs: [], memory: refused },
        ];
        const said = new Set<string>();
        for (const basis of [...bases, ...bases.toReversed()]) {
          texts.restOn({ policy: basis.policy, packs: basis.packs, memory: basis.memory, index });
          for (let time = 0; time < 3; time += 1) {
            const text = textOf(texts, texts.know(pair.source), texts.know(pair.destination));
            assert.equal(text, expectedOf(basis));
            said.add(text);
          }
        }
        if (said.size > 1) changed += 1;
      }),
      { numRuns: 60 },
    );
    assert.ok(changed > 10, `${changed} pairs were judged otherwise`);
  });
});
