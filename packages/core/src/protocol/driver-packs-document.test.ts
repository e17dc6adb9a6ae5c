// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { BUILT_IN_PACKS } from "../compatibility/packs/built-in.ts";
import { checkPacks } from "../compatibility/packs/check-packs.ts";
import { WELL_KNOWN_FACTS } from "../compatibility/packs/read-fact.ts";
import { runVectors } from "../compatibility/packs/vectors.ts";
import { NO_MEMORY } from "../compatibility/pair.ts";
import { STRICT_POLICY } from "../compatibility/policy.ts";
import { parseJsonText } from "./json-text.ts";
import { parsePackDocument, parsePackVectors } from "./pack-schema.ts";
import { parseProfileDocument } from "./profile-schema.ts";

const PAGE = readFileSync(new URL("../../../../docs/driver-packs.md", import.meta.url), "utf8");
const BLOCKS = [...PAGE.matchAll(/```json\n([^]*?)```/g)].map(([, text]) =>
  parseJsonText(text ?? "", "docs/driver-packs.md"),
);

describe("docs/driver-packs.md", () => {
  const [pack, vectors, profile] = BLOCKS;

  it("shows a pack that meets its vectors, a profile, and nothing else", () => {
    assert.equal(BLOCKS.length, 3);
    assert.deepEqual(
      runVectors(parsePackDocument(pack, "acme.json"), parsePackVectors(vectors, "acme.vectors.json")),
      [],
    );
  });

  it("shows a profile that the pack speaks for", () => {
    const source = parseProfileDocument(profile, "source.json");
    const destination = parseProfileDocument({ ...(profile as object), host: "b" }, "destination.json");
    const packs = [{ pack: parsePackDocument(pack, "acme.json"), digest: "sha256:acme" }];
    const { findings } = checkPacks({ source, destination, policy: STRICT_POLICY, packs, memory: NO_MEMORY });
    assert.deepEqual([findings.reasons, findings.missing], [[], []]);
    assert.equal(findings.restsOn.length, 3);
  });

  it("names every built-in pack and every well-known fact", () => {
    for (const name of [...BUILT_IN_PACKS.map((built) => built.name), ...WELL_KNOWN_FACTS])
      assert.ok(PAGE.includes(`\`${name}\``), name);
  });
});
