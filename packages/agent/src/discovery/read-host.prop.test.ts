// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import * as fc from "fast-check";

import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { openMemoryTree } from "../host/memory-tree.ts";
import type { MemoryEntry } from "../host/memory-tree.ts";
import type { SysfsTree } from "../host/sysfs-tree.ts";
import { CAPTURE_LIMITS, readTarEntries } from "../host/tar-tree.ts";
import { captureArchive } from "./captured-hosts.ts";
import { readHost } from "./read-host.ts";
import { bound, KERNEL, link, mdevDevice, mdevType, pciFunction, UUIDS, virtualParent } from "./sample-trees.ts";

const HUGE: MemoryEntry = { kind: "file", content: new Uint8Array(10_000_000).fill(0x41) };

/** Trees to damage: captured ones, and one with everything that no capture has. */
const TREES: readonly (readonly (readonly [string, MemoryEntry])[])[] = [
  ...["linux-6.12-host-a", "nvidia-a2-mdev-and-l40s-vf"].map((name) => [
    ...readTarEntries(captureArchive(name), CAPTURE_LIMITS),
  ]),
  Object.entries({
    ...KERNEL,
    ...pciFunction("0000:08:00.0", {
      sriov_totalvfs: "4\n",
      virtfn0: link("../0000:08:00.4"),
      ...bound("nvidia", "nvidia"),
    }),
    ...pciFunction("0000:08:00.4", {
      physfn: link("../0000:08:00.0"),
      "nvidia/creatable_vgpu_types": "1148 : A\n",
      "nvidia/current_vgpu_type": "1148\n",
      "nvidia/gpu_instance_id": "1\n",
    }),
    ...virtualParent("0.0.0313", {
      ...mdevType("vfio_ccw-io"),
      chpids: "50 00 00 00 00 00 00 00 \n",
      pimpampom: "80 80 ff\n",
      type: "0\n",
    }),
    ...virtualParent(
      "dsa",
      mdevType("dsa-1dwq", {
        software_version: "1.0.0\n",
        dynamic_resources: "aggregator\n",
        migration_version: "x\n",
      }),
    ),
    ...mdevDevice(
      { parent: "/sys/devices/virtual/dsa/dsa", uuid: UUIDS[0], type: "dsa-1dwq" },
      { "vendor/aggregator": "30\n" },
    ),
    ...mdevDevice(
      { parent: "/sys/devices/virtual/dsa/dsa", uuid: UUIDS[1], type: "dsa-1dwq" },
      { matrix: "01.0005\n", ap_config: "x" },
    ),
    "/sys/bus/ap/devices/01.0005": link("../../../devices/ap/card01/01.0005"),
    "/sys/kernel/debug/vfio/0000:08:00.4/migration/features": "stop-copy\n",
  }),
];

/** What damage makes of an entry; undefined: it is gone. */
const damage: fc.Arbitrary<MemoryEntry | undefined> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  { weight: 3, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  fc.constantFrom<MemoryEntry>(
    "",
    "\0",
    "-1\n",
    "\n\n",
    "99999999999999999999\n",
    "0x\n",
    "\u001b[31m\n",
    "é\n",
    `${"a".repeat(4097)}\n`,
    HUGE,
  ),
  fc.constantFrom<MemoryEntry>(
    link("."),
    link(".."),
    link("../../../../../../../../../../etc/passwd"),
    link("/"),
    link("/sys"),
    link("/sys/class/mdev_bus"),
    link("nowhere"),
    link(""),
    { kind: "directory" },
    { kind: "directory", errno: "EIO" },
    { kind: "failing", errno: "EIO" },
    { kind: "file", content: "x", mode: 0o200 },
    { kind: "other" },
  ),
  fc.string({ maxLength: 30 }).map(link),
);

const blows = fc.array(
  fc.tuple(fc.nat(), damage, fc.option(fc.string({ unit: "binary", minLength: 1, maxLength: 6 }))),
  { minLength: 1, maxLength: 12 },
);

/** Replaces, removes or renames entries; what stood below a replaced directory stays where it was. */
function strike(
  entries: readonly (readonly [string, MemoryEntry])[],
  hits: readonly (readonly [number, MemoryEntry | undefined, string | null])[],
): SysfsTree {
  const damaged = new Map(entries);
  for (const [at, entry, rename] of hits) {
    const [path] = entries[at % entries.length] ?? ["/"];
    const name = rename === null ? path : `${path.slice(0, path.lastIndexOf("/"))}/${rename.replaceAll("/", "_")}`;
    if (entry === undefined) damaged.delete(name);
    else damaged.set(name, entry);
  }
  return openMemoryTree(damaged);
}

/** Names that a folder of the tree shows and that are neither shown by the snapshot nor in the path of a problem. */
function findLost(tree: SysfsTree, folder: string, snapshot: HostSnapshot): readonly string[] {
  const listing = tree.list(folder);
  if (listing.kind === "absent") return [];
  const places = snapshot.problems.map(({ path }) => path);
  if (listing.kind !== "names") return places.includes(folder) ? [] : [folder];
  const shown = new Set<string>([...snapshot.parents, ...snapshot.devices].map(({ id }) => id));
  const escape = (name: string): string =>
    name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => `\\u${(c.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);
  return listing.names.filter(
    (name) => !shown.has(name.toLowerCase()) && !shown.has(name) && !places.includes(`${folder}/${escape(name)}`),
  );
}

/** Values that stand for a parsed fact and are not what any codec answers. */
function checkSane(snapshot: HostSnapshot): void {
  for (const parent of snapshot.parents) {
    for (const type of parent.types) {
      const count = type.availableInstances;
      if (count.kind === "known") assert.ok(count.value >= 0 && !Number.isNaN(count.value));
    }
  }
  for (const { message, path, text } of snapshot.problems) {
    assert.doesNotMatch(`${message}${path}${text ?? ""}`, /[\0-\x1f\x7f]/);
    assert.ok(message.length > 0 && message.length < 2000);
  }
}

describe("readHost() of damaged trees", () => {
  for (const [index, entries] of TREES.entries()) {
    it(`P1: whatever is done to tree ${index}, nothing throws and nothing is lost`, () => {
      fc.assert(
        fc.property(blows, (hits) => {
          const tree = strike(entries, hits);
          const snapshot = readHost(tree, "h");
          for (const folder of ["/sys/class/mdev_bus", "/sys/bus/mdev/devices"]) {
            assert.deepEqual(findLost(tree, folder, snapshot), []);
          }
          checkSane(snapshot);
          assert.doesNotThrow(() => JSON.stringify(snapshot));
        }),
        { numRuns: 120 },
      );
    });
  }

  it("P2: what is read does not depend on the order of the entries", () => {
    for (const entries of TREES) {
      assert.deepEqual(readHost(openMemoryTree(entries.toReversed()), "h"), readHost(openMemoryTree(entries), "h"));
    }
  });

  it("P3: an entry that is gone never makes a reading known that was not", () => {
    const entries = TREES[2] ?? [];
    const whole = new Set(listKnown(readHost(openMemoryTree(entries), "h")));
    for (const [gone] of entries) {
      const rest = readHost(openMemoryTree(entries.filter(([path]) => path !== gone)), "h");
      const invented = listKnown(rest).filter((known) => !whole.has(known));
      assert.deepEqual(
        invented.filter((known) => !known.includes("inferred")),
        [],
        gone,
      );
    }
  });
});

/** Every known reading of types and devices, with its evidence. */
function listKnown(snapshot: HostSnapshot): readonly string[] {
  const found: string[] = [];
  JSON.stringify([snapshot.parents, snapshot.devices], (_, value: unknown) => {
    if (typeof value === "object" && value !== null && "kind" in value && value.kind === "known")
      found.push(JSON.stringify(value));
    return value;
  });
  return found;
}
