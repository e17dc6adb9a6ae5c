// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { NO_MEMORY } from "@berth/core/compatibility/pair";
import { STRICT_POLICY } from "@berth/core/compatibility/policy";
import type { MigrationProfile } from "@berth/core/device/migration-profile";
import { profileOfDevice } from "@berth/core/inventory/profile";
import { STRATEGIES } from "@berth/core/placement/request";
import { testSnapshot, type TestHost } from "@berth/core/placement/test-fleet";
import { formatProfileDocument } from "@berth/core/protocol/profile-schema";
import { searchCandidates } from "./candidate-search.ts";
import { CandidateWriter, formatCandidate } from "./candidate-writer.ts";
import { FleetView } from "./fleet-view.ts";

const HOSTS = ["h0", "h1", "h2", 'h"3'];

const type = fc.record(
  {
    id: fc.constantFrom("drv-a", "drv-a", "drv-b"),
    available: fc.constantFrom(0, 1, 2, 4, 4, undefined),
    version: fc.constantFrom("1.5.0", "1.5.0", "1.5.0", "1.6.1", "1.4.0"),
    compatible: fc.constantFrom({ x: "1" }, { x: "1" }, { x: "1" }, {}),
    description: fc.constantFrom("framebuffer=1024M, max_instance=4", "prose"),
  },
  { requiredKeys: ["id", "available", "version", "compatible"] },
);
const parents = fc
  .array(fc.record({ types: fc.uniqueArray(type, { maxLength: 2, selector: ({ id }) => id }), numaNode: fc.nat(1) }), {
    maxLength: 3,
    minLength: 1,
  })
  .map((list) => list.map((parent, at) => ({ id: `p${at}`, ...parent })));

/** A host is seen, or goes; claims hold something there; the memory is another; or a question is asked, several times over. */
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("put" as const), host: fc.constantFrom(...HOSTS), parents }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), host: fc.constantFrom(...HOSTS) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("remember" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("claim" as const), host: fc.constantFrom(...HOSTS), count: fc.nat(2) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("ask" as const),
      source: fc.nat(2),
      strategy: fc.constantFrom(...STRATEGIES),
      except: fc.subarray(HOSTS, { maxLength: 2 }),
      only: fc.option(fc.subarray(HOSTS), { nil: undefined, freq: 3 }),
      limit: fc.constantFrom(1, 3, 100),
      numaNode: fc.nat(1),
      times: fc.constantFrom(1, 5),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Devices of one form on two parents, and between them one of another form that the same places take. */
const SOURCE: TestHost = {
  host: "src",
  parents: ["p", "q", "r"].map((id) => ({
    id,
    types: [{ id: "drv-a", available: 1, version: id === "q" ? "1.4.0" : "1.5.0", compatible: { x: "1" } }],
  })),
  devices: ["p", "q", "r"].map((parent, at) => ({
    id: `00000000-0000-4000-8000-00000000000${at}`,
    parent,
    type: "drv-a",
  })),
};

function sourceOf(at: number): MigrationProfile {
  const found = profileOfDevice(testSnapshot(SOURCE), SOURCE.devices?.[at]?.id ?? "", STRICT_POLICY);
  assert.ok(found);
  return found;
}

/** Takes a step, and holds every answer on the way against that of a search that keeps nothing. Answers how it was found. */
function take(one: Step, view: FleetView, writer: CandidateWriter): readonly string[] {
  if (one.kind === "put") {
    view.putSnapshot(testSnapshot(one));
    return [];
  }
  if (one.kind === "remove") {
    view.removeHost(one.host);
    return [];
  }
  if (one.kind === "claim") {
    const { host, count } = one;
    const ids = Array.from({ length: count }, (_, at) => `00000000-0000-4000-9000-00000000000${at}`);
    const ledger = ids.map((id) => ({ id, type: "drv-a", count: 1, parent: "p0" }));
    view.edit(undefined, (edit) => edit.putLedger(host, ledger));
    return [];
  }
  if (one.kind === "remember") {
    view.replaceMemory({ ...NO_MEMORY });
    return [];
  }
  const { strategy, except, only, limit, times } = one;
  const paths: string[] = [];
  for (let time = 0; time < times; time += 1) {
    // In turns about two devices of one form.
    const source = sourceOf(time % 2 === 0 ? one.source : 2 - one.source);
    const search = { source, strategy, numaNode: one.numaNode, limit, exceptHosts: ["src", ...except] };
    const asked = only === undefined ? search : { ...search, onlyHosts: only };
    const { candidates, by } = searchCandidates(view, asked);
    const list = JSON.stringify(candidates.map(formatCandidate));
    const out: string[] = [];
    writer.write(view, asked, out);
    assert.equal(out.join(""), `"source":${JSON.stringify(formatProfileDocument(source))},"candidates":${list}`);
    if (candidates.length > 0) paths.push(by);
  }
  return paths;
}

describe("CandidateWriter", () => {
  it("W1: writes what a search finds, while hosts come, change and go, over views of any policy and memory", () => {
    const paths: string[] = [];
    fc.assert(
      fc.property(fc.array(step, { minLength: 15, maxLength: 40 }), fc.boolean(), (steps, isShared) => {
        const own = new CandidateWriter();
        const views = [true, false].map((assumePlatform) => {
          const policy = { ...STRICT_POLICY, assumePlatform };
          const view = new FleetView({ policy, packs: [], epoch: "test", memory: NO_MEMORY });
          return { view, writer: isShared ? own : new CandidateWriter() };
        });
        for (const one of steps) for (const { view, writer } of views) paths.push(...take(one, view, writer));
      }),
      { numRuns: 60 },
    );
    assert.deepEqual([...new Set(paths)].toSorted(), ["index"]);
    assert.ok(paths.length > 100, `${paths.length} answers had candidates`);
  });
});
