// SPDX-License-Identifier: Apache-2.0

import type { LoadedPack } from "@berth/core/compatibility/packs/pack";
import { known } from "@berth/core/device/evidence";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import type { VirtualMachine, VmOwner } from "@berth/core/device/virtual-machine";
import { testSnapshot, type TestDevice } from "@berth/core/placement/test-fleet";
import { putHost } from "../replica/test-store.ts";
import { ManualAlarm } from "../store/memory/manual-alarm.ts";
import { MemoryJournal } from "../store/memory/memory-journal.ts";
import { MemoryStore, type Turn } from "../store/memory/memory-store.ts";
import type { Write } from "../store/store.ts";
import type { ClaimBook } from "./claim-book.ts";
import { makeClaimBook } from "./make-claim-book.ts";
import { startTestReplica, type TestReplica } from "./test-replica.ts";

/** Units of a test card: `drv-a` takes one, `drv-b` two. */
export const UNITS = 4;
/** The devices of the source's host: two `drv-a` and, last, one `drv-b`. */
export const SOURCES = ["1", "2", "3"].map((last) => `00000000-0000-4000-8000-00000000000${last}`) as [
  string,
  string,
  string,
];

/** A pack that says how the units of a card are counted. */
export const CARD_PACK: LoadedPack = {
  digest: "sha256:test",
  pack: {
    pack: "berth.driver-pack/v1",
    name: "drv",
    version: "1.0.0",
    title: "the test driver",
    match: { driverPrefixes: ["drv"] },
    rules: [],
    pool: {
      owner: "physical-function-or-parent",
      law: "counters",
      totals: { unit: UNITS },
      consumption: { "drv-a": { unit: 1 }, "drv-b": { unit: 2 } },
    },
  },
};

/** A host with cards `p0`, `p1`, ... of four units each, and devices on them. */
export function cardHost(
  host: string,
  parts: { readonly cards?: number; readonly devices?: readonly TestDevice[]; readonly version?: string } = {},
): HostSnapshot {
  const { cards = 1, devices = [], version = "1.5.0" } = parts;
  const parents = Array.from({ length: cards }, (_, index) => {
    const id = `p${index}`;
    const own = devices.filter(({ parent }) => parent === id);
    const left = UNITS - own.reduce((sum, { type }) => sum + (type === "drv-b" ? 2 : 1), 0);
    const types = [
      { id: "drv-a", available: left, version },
      { id: "drv-b", available: Math.floor(left / 2), version },
    ];
    return { id, types };
  });
  return testSnapshot({ host, parents, devices });
}

/** The host that claims are for: VM `vm-1` has the first two devices, VM `vm-2` the third. */
export function sourceHost(owner: VmOwner["kind"] = "berth"): HostSnapshot {
  const devices = SOURCES.map((id, index) => ({ id, parent: "p0", type: index === 2 ? "drv-b" : "drv-a" }));
  const [first, second, third] = SOURCES;
  return {
    ...cardHost("src", { devices }),
    virtualMachines: [vmOf("vm-1", [first, second], owner), vmOf("vm-2", [third], owner), vmOf("vm-3", [], owner)],
  };
}

function vmOf(id: string, devices: readonly string[], owner: VmOwner["kind"]): VirtualMachine {
  const evidence = { host: "src", source: "sysfs", path: "/proc" } as const;
  return {
    id,
    name: `the ${id}`,
    state: "running",
    owner: { kind: owner, evidence },
    devices: devices.map((device) => ({ device, known: [{ how: "open-file", evidence }] })),
    memoryKib: known(1024, evidence),
    hugepageKib: known(2048, evidence),
  };
}

/** A store with hosts in it; everything is written as the servers do. */
export interface TestWorld {
  readonly journal: MemoryJournal;
  readonly store: MemoryStore;
  readonly silent: Set<string>;
  nowMs: number;
  /** Another server on the same store. */
  openBook(turn?: Turn): Promise<{ readonly book: ClaimBook; readonly replica: TestReplica }>;
  put(...writes: readonly (Write | readonly Write[])[]): Promise<number>;
  close(): Promise<void>;
}

/** Opens a world of these hosts, all parents handed over. */
export async function openWorld(hosts: readonly HostSnapshot[]): Promise<TestWorld> {
  const alarm = new ManualAlarm();
  const journal = new MemoryJournal({ epoch: "test", alarm: alarm.set });
  const store = new MemoryStore(journal);
  const opened: TestReplica[] = [];
  let drawn = 0;
  const world: TestWorld = {
    journal,
    store,
    silent: new Set(),
    nowMs: 1_000_000,
    openBook: async (turn) => {
      const replica = await startTestReplica(new MemoryStore(journal, turn), { packs: [CARD_PACK], alarm: alarm.set });
      opened.push(replica);
      const book = makeClaimBook({
        replica,
        now: () => world.nowMs,
        newId: () => `id-${String((drawn += 1)).padStart(6, "0")}`,
        newUuid: () => `00000000-0000-4000-9000-${(drawn += 1).toString(16).padStart(12, "0")}`,
        isHeard: (host) => !world.silent.has(host),
      });
      return { book, replica };
    },
    put: async (...writes) => (await store.transact({ compares: [], writes: distinct(writes.flat()) })).revision,
    close: async () => {
      for (const replica of opened) await replica.close();
    },
  };
  for (const snapshot of hosts) await world.put(shows(snapshot), adopts(snapshot.host, snapshot.parents));
  return world;
}

export function shows(snapshot: HostSnapshot): readonly Write[] {
  return putHost(snapshot);
}

/** Hosts share shapes: each key is written once. */
function distinct(writes: readonly Write[]): readonly Write[] {
  return [...new Map(writes.map((write) => [write.key, write])).values()];
}

export function adopts(host: string, parents: readonly { readonly id: string }[], vms: readonly string[] = []): Write {
  const value = JSON.stringify({ host, parents: parents.map(({ id }) => id), vms });
  return { kind: "put", key: `adoption/${host}`, value };
}
