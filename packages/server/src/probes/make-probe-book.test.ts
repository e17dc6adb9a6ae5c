// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { pairKey } from "@berth/core/compatibility/pair-key";
import { NO_MEMORY } from "@berth/core/compatibility/pair";
import { absent, known, type Reading } from "@berth/core/device/evidence";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { profileOfDevice, profileOfType } from "@berth/core/inventory/profile";
import { testSnapshot } from "@berth/core/placement/test-fleet";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { ProbeBody } from "@berth/core/protocol/api/control-requests";
import type { ProbeReply } from "@berth/core/provision/desired-state";
import { listAudit } from "../audit/audit-trail.ts";
import type { Replica } from "../replica/replica.ts";
import { startTestReplica } from "../replica/test-replica.ts";
import {
  deleteDocument,
  openTestStore,
  putAgent,
  putDocument,
  putHost,
  putProbe,
  type TestStore,
} from "../replica/test-store.ts";
import { makeProbeBook } from "./make-probe-book.ts";
import type { ProbeBook } from "./probe-book.ts";

const DEVICE = "aaaaaaaa-0000-4000-8000-00000000000a";
const SPARE = "bbbbbbbb-0000-4000-8000-00000000000b";

/** What differs from a host with one parent of one type, and one device on it. */
interface Shown {
  readonly driver?: string;
  readonly type?: string;
  /** `migration_version` at the type; undefined: there is none. */
  readonly version?: string | undefined;
  readonly kernel?: string;
  readonly unseenUsers?: readonly string[];
  readonly used?: boolean;
  readonly module?: boolean;
}

function hostOf(host: string, shown: Shown = {}): HostSnapshot {
  const { driver = "drv", type = "a", kernel = "6.12.0", module = true } = shown;
  const version = Object.hasOwn(shown, "version") ? shown.version : `${host}-1`;
  const id = `${driver}-${type}`;
  const device = host === "a" ? DEVICE : SPARE;
  const base = testSnapshot({
    host,
    parents: [{ id: "p", types: [{ id, available: 1 }] }],
    devices: [{ id: device, parent: "p", type: id }],
  });
  const at = (path: string): { host: string; source: "sysfs"; path: string } => ({ host, source: "sysfs", path });
  const read = (path: string, value: string | undefined): Reading<string> =>
    value === undefined ? absent(at(path)) : known(value, { ...at(path), text: value });
  return {
    ...base,
    kernel: { release: read("/release", kernel), version: read("/version", `Linux ${kernel}`) },
    parents: base.parents.map((parent) => ({
      ...parent,
      module: read("/module", module ? "drv" : undefined),
      types: parent.types.map((one) => ({
        ...one,
        attributes: { ...one.attributes, migrationVersion: read("/migration_version", version) },
      })),
    })),
    modules: [
      {
        name: "drv",
        version: read("/v", undefined),
        srcversion: read("/srcversion", "ABC"),
        buildId: read("/notes", undefined),
        taint: read("/taint", undefined),
      },
    ],
    functions: [],
    unseenUsers: shown.unseenUsers ?? [],
    uses:
      shown.used === true
        ? [
            {
              device,
              user: { kind: "process", pid: 7, command: "qemu", how: "open-file" },
              evidence: { host, source: "sysfs", path: "/proc/7" },
            },
          ]
        : [],
  };
}

const TO_TYPE: ProbeBody = {
  source: { host: "a", device: DEVICE },
  destination: { host: "b", parent: "p", type: "drv-a" },
};
const TO_DEVICE: ProbeBody = { source: TO_TYPE.source, destination: { host: "b", device: SPARE.toUpperCase() } };
const CALLER = { principal: "op" };

let test: TestStore;
let replica: Replica;
let book: ProbeBook;
let nowMs: number;

async function show(...hosts: readonly HostSnapshot[]): Promise<void> {
  for (const host of hosts) {
    const revision = await test.write(putHost(host));
    await replica.reached(revision);
  }
}

async function caughtUp(): Promise<void> {
  await replica.reached(test.journal.revision);
}

function reply(id: string, kind: "accepted" | "refused", destinationVersion = "b-1"): ProbeReply {
  const outcome = kind === "accepted" ? ({ kind } as const) : ({ kind, errno: "EINVAL" } as const);
  return { id, outcome, destinationVersion };
}

async function answer(id: string, kind: "accepted" | "refused", version?: string): Promise<void> {
  nowMs += 1;
  await book.hear("b", [reply(id, kind, version)]);
  await caughtUp();
}

async function codeOf(body: ProbeBody): Promise<string> {
  try {
    await book.probe(body, CALLER);
  } catch (error) {
    if (error instanceof BerthError) return error.code;
    throw error;
  }
  return "asked";
}

beforeEach(async () => {
  test = openTestStore();
  replica = await startTestReplica(test);
  let number = 0;
  nowMs = Date.UTC(2026, 10, 20);
  book = makeProbeBook({ replica, now: () => nowMs, newId: () => `id-${String((number += 1)).padStart(5, "0")}` });
  await show(hostOf("a"), hostOf("b"));
  await replica.reached(await test.write(putAgent("b")));
});
afterEach(() => replica.close());

describe("probe()", () => {
  it("asks the destination's driver for a type, with the source's string and its driver's name", async () => {
    const item = await book.probe(TO_TYPE, CALLER);
    assert.deepEqual(item, {
      id: "id-00001",
      host: "b",
      wanted: {
        id: "id-00001",
        at: { kind: "type", parent: "p", type: "drv-a" },
        version: "a-1",
        driverPrefix: "drv",
      },
      source: { host: "a", subject: DEVICE },
      principal: "op",
      createdAtMs: nowMs,
      reply: null,
      answeredAtMs: null,
      inForce: false,
    });
    assert.deepEqual([book.find("id-00001"), book.list()], [item, [item]]);
    const { items } = await listAudit(test.store, { limit: 9 });
    assert.deepEqual(
      items.map(({ principal, action, target }) => [principal, action, target]),
      [["op", "probe.ask", "id-00001"]],
    );
  });

  it("asks for a device that nobody uses", async () => {
    const { wanted } = await book.probe(TO_DEVICE, CALLER);
    assert.deepEqual(wanted.at, { kind: "device", device: SPARE });
  });

  it("asks an open question once, and an answered one not again while it is in force", async () => {
    const { id } = await book.probe(TO_TYPE, CALLER);
    assert.equal((await book.probe(TO_TYPE, CALLER)).id, id);
    await answer(id, "accepted");
    const again = await book.probe(TO_TYPE, CALLER);
    assert.deepEqual([again.id, again.inForce, again.reply?.outcome.kind], [id, true, "accepted"]);
    assert.notEqual((await book.probe(TO_DEVICE, CALLER)).id, id);
    await show(hostOf("b", { kernel: "6.13.0" }));
    assert.notEqual((await book.probe(TO_TYPE, CALLER)).id, id);
  });

  it("asks again where the host that answered is no longer believed", async () => {
    const { id } = await book.probe(TO_TYPE, CALLER);
    await answer(id, "accepted");
    await test.write(putAgent("b", { revokedAtMs: 1 }));
    await caughtUp();
    assert.notEqual((await book.probe(TO_TYPE, CALLER)).id, id);
  });

  it("asks again where nothing was asked of the driver", async () => {
    const { id } = await book.probe(TO_TYPE, CALLER);
    const reason = { code: "x", text: "X" };
    await book.hear("b", [{ id, outcome: { kind: "not-asked", reason } }]);
    await caughtUp();
    assert.notEqual((await book.probe(TO_TYPE, CALLER)).id, id);
  });

  it("takes the oldest probes away where there would be too many", async () => {
    for (const id of ["a-1", "a-2", "a-3"]) await test.write(putProbe({ id, host: "c" }));
    await caughtUp();
    const small = makeProbeBook({ replica, now: () => nowMs, newId: () => "id-00001", keep: 2 });
    await small.probe(TO_TYPE, CALLER);
    assert.deepEqual(
      small.list().map(({ id }) => id),
      ["id-00001", "a-3"],
    );
  });

  it("keeps 64 open questions for a host at most", async () => {
    for (let at = 0; at < 64; at++) await test.write(putProbe({ id: `o-${at}`, host: "b" }));
    await caughtUp();
    assert.equal(await codeOf(TO_TYPE), "rate_limited");
  });
});

const REFUSED: Readonly<Record<string, readonly [string, ProbeBody, HostSnapshot?, HostSnapshot?]>> = {
  "refuses a source host that is not there": ["unknown_host", { ...TO_TYPE, source: { host: "x", device: DEVICE } }],
  "refuses a destination host that is not there": [
    "unknown_host",
    { ...TO_TYPE, destination: { host: "__proto__", parent: "p", type: "drv-a" } },
  ],
  "refuses a device that is not there": ["unknown_device", { ...TO_TYPE, source: { host: "a", device: "x" } }],
  "refuses a destination device that is not there": [
    "unknown_device",
    { ...TO_TYPE, destination: { host: "b", device: "x" } },
  ],
  "refuses a parent that is not there": [
    "unknown_parent",
    { ...TO_TYPE, destination: { host: "b", parent: "x", type: "drv-a" } },
  ],
  "refuses a type that is not there": [
    "unknown_type",
    { ...TO_TYPE, destination: { host: "b", parent: "p", type: "drv-z" } },
  ],
  "refuses another vendor's driver (R1)": [
    "invalid_reference",
    { ...TO_TYPE, destination: { host: "b", parent: "p", type: "other-a" } },
    hostOf("b", { driver: "other" }),
  ],
  "refuses another type (R3)": [
    "invalid_reference",
    { ...TO_TYPE, destination: { host: "b", parent: "p", type: "drv-b" } },
    hostOf("b", { type: "b" }),
  ],
  "refuses a destination without a migration_version": [
    "invalid_reference",
    TO_TYPE,
    hostOf("b", { version: undefined }),
  ],
  "refuses a source without one": ["invalid_reference", TO_TYPE, hostOf("a", { version: undefined })],
  "refuses a string that no driver may be asked": ["invalid_reference", TO_TYPE, hostOf("a", { version: "é" })],
  "refuses a class that cannot be named": ["invalid_reference", TO_TYPE, hostOf("b", { module: false })],
  "refuses a device in use": ["invalid_reference", TO_DEVICE, hostOf("b", { used: true })],
  "refuses a device whose users are not known": [
    "invalid_reference",
    TO_DEVICE,
    hostOf("b", { unseenUsers: ["not root"] }),
  ],
  "refuses one and the same device at both ends": [
    "invalid_reference",
    { ...TO_TYPE, destination: { host: "a", device: DEVICE } },
  ],
};

describe("probe()", () => {
  for (const [name, [code, body, ...hosts]] of Object.entries(REFUSED)) {
    it(name, async () => {
      for (const host of hosts) if (host !== undefined) await show(host);
      const { revision } = test.journal;
      assert.equal(await codeOf(body), code);
      assert.equal(test.journal.revision, revision);
    });
  }
});

describe("probe()", () => {
  it("looks at the driver before anything else that is shown of the ends", async () => {
    await show(hostOf("b", { driver: "other", version: undefined }));
    const destination = { host: "b", parent: "p", type: "other-a" };
    await assert.rejects(book.probe({ ...TO_TYPE, destination }, CALLER), /no other \(R1\)/);
  });
});

describe("hear()", () => {
  it("takes an answer of the host that was asked, once, and remembers it for the pair of classes", async () => {
    const { id } = await book.probe(TO_TYPE, CALLER);
    const before = book.memory;
    await book.hear("a", [reply(id, "accepted")]);
    await book.hear("b", [reply("nothing", "accepted"), reply("a b", "accepted"), reply("x".repeat(600), "accepted")]);
    await caughtUp();
    assert.equal(book.find(id)?.reply, null);
    assert.equal(book.memory, before);
    await answer(id, "refused");
    await answer(id, "accepted");
    const item = book.find(id);
    assert.deepEqual([item?.reply, item?.inForce], [reply(id, "refused"), true]);
    const policy = replica.view.policy;
    const source = profileOfDevice(hostOf("a"), DEVICE, policy);
    const destination = profileOfType(hostOf("b"), { parent: "p", type: "drv-a" }, policy);
    assert.ok(source !== undefined && destination !== undefined);
    const key = pairKey({ source, destination, policy, packs: [], memory: NO_MEMORY }) ?? "";
    assert.deepEqual(book.memory, {
      probes: { [key]: { accepted: false, errno: "EINVAL", host: "b" } },
      successes: {},
    });
    const { items } = await listAudit(test.store, { limit: 9 });
    assert.deepEqual(
      items.map(({ principal, action }) => `${principal} ${action}`),
      ["op probe.ask", "agent b probe.answer"],
    );
  });

  it("does not count an answer that came while the destination showed another string, or none", async () => {
    for (const version of ["b-2", "x".repeat(5000)]) {
      const { id } = await book.probe(TO_TYPE, CALLER);
      await answer(id, "accepted", version);
      const outcome = book.find(id)?.reply?.outcome;
      assert.equal(outcome?.kind === "not-asked" && outcome.reason.code, "probe_destination_changed");
      assert.deepEqual(book.memory, { probes: {}, successes: {} });
    }
    const { id } = await book.probe(TO_TYPE, CALLER);
    await book.hear("b", [{ id, outcome: { kind: "accepted" } }]);
    await caughtUp();
    assert.deepEqual(book.memory.probes, {});
  });

  it("tells where the driver answers one way at the type and the other way at the device", async () => {
    const [type, device] = [await book.probe(TO_TYPE, CALLER), await book.probe(TO_DEVICE, CALLER)];
    await answer(type.id, "accepted");
    await answer(device.id, "refused");
    assert.deepEqual(Object.values(book.memory.probes), [
      { accepted: false, errno: "EINVAL", host: "b", otherLevelAccepted: true },
    ]);
  });
});

describe("memory", () => {
  const CHANGES: Readonly<Record<string, () => Promise<unknown>>> = {
    "another kernel": () => show(hostOf("b", { kernel: "6.13.0" })),
    "another string at the destination": () => show(hostOf("b", { version: "b-2" })),
    "a driver that is gone": () => show(hostOf("b", { module: false })),
    "another type": () => show(hostOf("b", { type: "z" })),
    "a host whose agent was revoked": () => test.write(putAgent("b", { revokedAtMs: 1 })),
    "a host with two agents": () => test.write(putAgent("b", { conflict: { sinceMs: 1, sessions: ["1", "2"] } })),
    "a host whose agent is not known": () => test.write(putDocument("agent", "b", "{}")),
    "a host that was forgotten": () => test.write(deleteDocument("agent", "b"), deleteDocument("inventory", "b")),
  };
  for (const [name, change] of Object.entries(CHANGES)) {
    it(`forgets an answer of ${name}`, async () => {
      const { id } = await book.probe(TO_TYPE, CALLER);
      await answer(id, "accepted");
      const { memory } = book;
      assert.equal(Object.keys(memory.probes).length, 1);
      assert.equal(replica.view.memory, memory);
      await show(hostOf("c"));
      assert.equal(book.memory, memory);
      await change();
      await caughtUp();
      assert.deepEqual([book.memory.probes, book.find(id)?.inForce], [{}, false]);
      // What is searched and claimed by is the same, in this server and in one that starts now.
      const fresh = await startTestReplica(test);
      assert.deepEqual([replica.view.memory.probes, fresh.view.memory.probes], [{}, {}]);
      await fresh.close();
    });
  }

  it("counts an answer again when its host shows again what it showed", async () => {
    const { id } = await book.probe(TO_TYPE, CALLER);
    await answer(id, "accepted");
    const { memory } = book;
    await show(hostOf("b", { kernel: "6.13.0" }));
    assert.deepEqual([book.find(id)?.inForce, book.memory.probes], [false, {}]);
    // Its shapes are known by now: an agent sends none of them again.
    const shown = putHost(hostOf("b")).filter(({ key }) => !key.startsWith("catalogue/"));
    await replica.reached(await test.write(shown));
    assert.deepEqual([book.find(id)?.inForce, book.memory], [true, memory]);
  });

  it("keeps an answer when the source is gone: the string was its own", async () => {
    const { id } = await book.probe(TO_TYPE, CALLER);
    await answer(id, "accepted");
    await show({ ...hostOf("a"), devices: [] });
    assert.equal(book.find(id)?.inForce, true);
  });
});
