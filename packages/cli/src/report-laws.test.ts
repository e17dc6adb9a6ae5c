// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { captureArchive } from "@berth/agent/discovery/captured-hosts";
import { readHost } from "@berth/agent/discovery/read-host";
import { openRoot } from "@berth/agent/host/open-root";
import { checkMigration } from "@berth/core/compatibility/check-migration";
import { checkPlatform } from "@berth/core/compatibility/check-platform";
import { NO_MEMORY } from "@berth/core/compatibility/pair";
import { STRICT_POLICY } from "@berth/core/compatibility/policy";
import { canonicalJson } from "@berth/core/device/canonical-json";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { fleetHostOf, type FleetHost } from "@berth/core/inventory/fleet";
import { profileOfDevice } from "@berth/core/inventory/profile";
import { INVENTORY_MAX_BYTES } from "@berth/core/report/inventory";
import { unpackInventory } from "@berth/core/report/inventory-document";
import { joinSnapshot, restoreTexts } from "@berth/core/report/join-snapshot";
import { parseShape, type Shape } from "@berth/core/report/fill-shape";
import { splitSnapshot } from "@berth/core/report/split-snapshot";
import { anySnapshot } from "@berth/core/report/snapshot.gen";
import { readDemoHosts } from "./input/demo-fleet.ts";
import { readPacks } from "./input/statements.ts";

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

const PACKS = readPacks({});
const CAPTURES = ["nvidia-a2-mdev-and-l40s-vf"].map((name) => readHost(openRoot(captureArchive(name)), name));
const HOSTS: readonly HostSnapshot[] = [...readDemoHosts(), ...CAPTURES];
/** One catalogue, as on a server. */
const CATALOGUE = new Map<string, Shape>();

interface Travelled {
  readonly before: HostSnapshot;
  readonly after: HostSnapshot;
  readonly texts: ReadonlyMap<string, string>;
  readonly bytes: number;
}

function travel(before: HostSnapshot): Travelled {
  const split = splitSnapshot(before, sha256);
  for (const [digest, text] of split.shapes) CATALOGUE.set(digest, parseShape(text));
  const joined = joinSnapshot(unpackInventory(JSON.parse(split.text)), { find: (digest) => CATALOGUE.get(digest) });
  assert.ok(joined.kind === "joined", JSON.stringify(joined));
  assert.equal(joined.cut, "nothing");
  return { before, after: joined.snapshot, texts: split.texts, bytes: split.bytes };
}

const TRAVELLED: readonly Travelled[] = HOSTS.map(travel);

/** The same with the raw texts, and the marks of those that stayed on the host, left out. */
function withoutTexts(value: unknown): string {
  return JSON.stringify(value, (key, item: unknown) => (key === "text" || key === "textOnHost" ? undefined : item));
}

/** Pools, places and problems, which is all that is asked about room. */
function roomOf({ pools, places, problems }: FleetHost): string {
  return withoutTexts({
    pools,
    problems,
    places: places.map(({ parent, type, numaNode }) => [parent, type, numaNode]),
  });
}

/** Both verdicts on every device of a host against every place of another. */
function verdictsBetween(source: HostSnapshot, destination: HostSnapshot): readonly string[] {
  const { places } = fleetHostOf(destination, PACKS, STRICT_POLICY);
  return source.devices.flatMap(({ id }) => {
    const profile = profileOfDevice(source, id, STRICT_POLICY);
    assert.ok(profile !== undefined);
    return places.map((place) => {
      const pair = {
        source: profile,
        destination: place.profile,
        policy: STRICT_POLICY,
        packs: PACKS,
        memory: NO_MEMORY,
      };
      return withoutTexts([place.parent, place.type, checkMigration(pair), checkPlatform({ pairs: [pair] })]);
    });
  });
}

describe("a report of each host of the demo and each captured one", () => {
  for (const { before, after, texts, bytes } of TRAVELLED) {
    it(`${before.host}: joins to what was read, with the texts that stayed there`, () => {
      assert.equal(canonicalJson(restoreTexts(after, texts)), canonicalJson(before));
      assert.ok(bytes < INVENTORY_MAX_BYTES / 8, String(bytes));
    });

    it(`${before.host}: has the same pools, places and problems`, () => {
      const [read, reported] = [before, after].map((snapshot) => fleetHostOf(snapshot, PACKS, STRICT_POLICY));
      assert.ok(read !== undefined && reported !== undefined);
      assert.equal(canonicalJson(JSON.parse(roomOf(reported))), canonicalJson(JSON.parse(roomOf(read))));
    });
  }

  it("gives the same verdicts between any two hosts", () => {
    let compared = 0;
    for (const source of TRAVELLED) {
      for (const destination of TRAVELLED) {
        // A host with 240 places is judged once: as a destination of its own devices.
        if (destination.before.parents.length > 8 && source !== destination) continue;
        const verdicts = verdictsBetween(source.before, destination.before);
        const reported = verdictsBetween(source.after, destination.after);
        assert.deepEqual(
          reported.map(parse),
          verdicts.map(parse),
          `${source.before.host} to ${destination.before.host}`,
        );
        compared += verdicts.length;
      }
    }
    assert.ok(compared > 1000, String(compared));
  });
});

describe("a report of any host", () => {
  it("R9: has the same pools and places, and the same verdicts, as what was read", () => {
    fc.assert(
      fc.property(anySnapshot, (snapshot) => {
        const { before, after } = travel(snapshot);
        const [read, reported] = [before, after].map((one) => fleetHostOf(one, PACKS, STRICT_POLICY));
        assert.ok(read !== undefined && reported !== undefined);
        assert.equal(canonicalJson(JSON.parse(roomOf(reported))), canonicalJson(JSON.parse(roomOf(read))));
        assert.deepEqual(verdictsBetween(after, after).map(parse), verdictsBetween(before, before).map(parse));
      }),
      { numRuns: 40 },
    );
  });
});

function parse(text: string): unknown {
  return JSON.parse(text);
}
