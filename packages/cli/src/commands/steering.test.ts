// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AgentItem, AuditItem, DoneAnswer, ProbeItem, VmItem } from "@berth/core/protocol/api/control-answers";
import { BerthError } from "@berth/core/protocol/berth-error";
import { GENERATION, NOW_MS, pageOf, runWith, type TestServer } from "../test-world.ts";

const UUID = "5eed0000-0101-4000-8000-000000000001";

function done(host: string, changes: Partial<DoneAnswer> = {}): Promise<DoneAnswer> {
  return Promise.resolve({ generation: GENERATION, host, changed: true, claims: [], ...changes });
}

const VMS = [
  {
    host: "a",
    id: "u1",
    name: "db1",
    uuid: "u1",
    state: "running",
    owner: { kind: "nova" },
    devices: [{ device: "d1" }, { device: "d2" }],
    adopted: true,
  },
  { host: "b", id: "web", name: "web", state: "defined", owner: { kind: "unknown" }, devices: [], adopted: false },
  { host: "c", id: "web", name: "web", state: "unknown", owner: { kind: "berth" }, devices: [], adopted: false },
] as unknown as readonly VmItem[];

interface Case {
  readonly args: readonly string[];
  readonly server?: TestServer;
  readonly written?: string;
  readonly complaint?: RegExp;
  readonly code?: number;
  /** The last call. */
  readonly call?: readonly unknown[];
}

const ADOPTING: TestServer = {
  inventory: {
    listParents: () =>
      pageOf({ host: "a", id: "p0" } as never, { host: "b", id: "p0" } as never, { host: "b", id: "p1" } as never),
  },
  control: {
    listVms: () => pageOf(...VMS),
    adopt: ({ host }) => done(host),
    disown: ({ host }) => done(host, { changed: false }),
    listAdoptions: () => pageOf({ host: "a", parents: ["gone"], vms: ["u1"] }, { host: "b", parents: ["p1"], vms: [] }),
  },
};

const PROBE: ProbeItem = {
  id: "p-1",
  host: "b",
  wanted: { id: "p-1", at: { kind: "type", parent: "p0", type: "t" }, version: "i915-v5", driverPrefix: "i915" },
  source: { host: "a", subject: UUID },
  principal: "ann",
  createdAtMs: NOW_MS,
  reply: null,
  answeredAtMs: null,
  inForce: false,
};

function probing(...replies: readonly ProbeItem["reply"][]): TestServer {
  let at = 0;
  const next = () =>
    Promise.resolve({
      generation: GENERATION,
      probe: { ...PROBE, reply: replies[Math.min(at++, replies.length - 1)] ?? null },
    });
  return { control: { probe: next, readProbe: next } };
}

const ACCEPTED = { id: "p-1", outcome: { kind: "accepted" }, destinationVersion: "i915-v6" } as const;
const NOT_ASKED = {
  id: "p-1",
  outcome: { kind: "not-asked", reason: { code: "probe_in_use", text: "the device is in use" } },
} as const;
const PROBED = ["probe", `a:${UUID}`, "b:p0/t"];

const AGENTS: readonly AgentItem[] = [
  {
    host: "a",
    life: "connected",
    version: "0.1.0",
    generation: 2,
    enrolledAtMs: NOW_MS,
    enrolledBy: "ann",
    reportedAtMs: NOW_MS,
    notices: [],
  },
  {
    host: "b",
    life: "conflict",
    version: null,
    generation: 1,
    enrolledAtMs: NOW_MS,
    enrolledBy: "ann",
    reportedAtMs: null,
    notices: [{ reason: { code: "agent_conflict", text: "two of them" } }],
  },
];

function audit(at: number, changes: Partial<AuditItem> = {}): AuditItem {
  return {
    id: String(at),
    atMs: NOW_MS + at * 1000,
    principal: "ann",
    action: "cordon",
    target: "a",
    before: null,
    after: null,
    ...changes,
  };
}

const CASES: Record<string, Case> = {
  "vms tells whose each VM is": {
    args: ["vms"],
    server: { control: { listVms: () => pageOf(...VMS) } },
    written: `HOST  VM   ID  STATE     OWNER    ADOPTED  DEVICES
a     db1  u1  running   nova     yes      d1 d2
b     web  -   shut off  unknown           -
c     web  -   unknown   berth             -
3 VMs
`,
    call: ["listVms", { limit: 1000 }],
  },
  "vms asks for one host": {
    args: ["vms", "--host", "b", "--json"],
    server: { control: { listVms: () => pageOf() } },
    written: `{
  "berth": "vms/v1",
  "generation": {
    "epoch": "e",
    "revision": 7
  },
  "items": []
}
`,
    call: ["listVms", { limit: 1000, host: "b" }],
  },
  "cordon sends the reason": {
    args: ["cordon", "a", "--reason", "new driver"],
    server: { control: { cordonHost: (host) => done(host) } },
    written: "Host a is cordoned: it gets no new claims.\n",
    call: ["cordonHost", "a", { reason: "new driver" }],
  },
  "cordon says where nothing changed": {
    args: ["cordon", "a"],
    server: { control: { cordonHost: (host) => done(host, { changed: false }) } },
    written: "Host a was cordoned already.\n",
    call: ["cordonHost", "a", {}],
  },
  "uncordon lets a host have claims again": {
    args: ["uncordon", "a"],
    server: { control: { uncordonHost: (host) => done(host) } },
    written: "Host a may have claims again.\n",
  },
  "fence asks nothing of the server without --yes": {
    args: ["fence", "a"],
    complaint:
      /^berth: usage_missing_argument: Fencing a declares that it is off, and ends all of its claims\n {2}at: --yes\n/,
    code: 2,
  },
  "fence names the claims that it ended": {
    args: ["fence", "a", "--yes"],
    server: { control: { fenceHost: (host) => done(host, { claims: ["c1", "c2"] }) } },
    written: "Host a counts as off.\n2 claims ended:\n  c1\n  c2\n",
  },
  "forget tells the server's refusal": {
    args: ["forget", "a"],
    server: {
      control: { forgetHost: () => Promise.reject(new BerthError("host_holds_claims", "Host a holds 2 claims")) },
    },
    complaint: /^berth: host_holds_claims: Host a holds 2 claims\n$/,
    code: 1,
  },
  "forget writes an order's document": {
    args: ["forget", "a", "--json"],
    server: { control: { forgetHost: (host) => done(host) } },
    written: `{
  "berth": "order/v1",
  "generation": {
    "epoch": "e",
    "revision": 7
  },
  "host": "a",
  "changed": true,
  "claims": []
}
`,
  },
  "adopt takes a parent of a host": {
    args: ["adopt", "b:p0"],
    server: ADOPTING,
    written: "Parent b:p0 is handed over to Berth.\n",
    call: ["adopt", { host: "b", parent: "p0" }],
  },
  "adopt takes a parent that one host alone has": {
    args: ["adopt", "p1"],
    server: ADOPTING,
    written: "Parent b:p1 is handed over to Berth.\n",
  },
  "adopt refuses a parent that several hosts have": {
    args: ["adopt", "p0"],
    server: ADOPTING,
    complaint: /ambiguous_device: 2 parents or VMs are called "p0"\n.*\n? *expected: one of a:p0, b:p0\n/,
    code: 2,
  },
  "adopt takes a VM by name": {
    args: ["adopt", "db1"],
    server: ADOPTING,
    written: "VM a:u1 is handed over to Berth.\n",
    call: ["adopt", { host: "a", vm: "u1" }],
  },
  "adopt refuses what nobody has": {
    args: ["adopt", "x"],
    server: ADOPTING,
    complaint: /^berth: unknown_parent: No parent and no VM is called "x"/,
    code: 1,
  },
  "disown takes a parent that its host no longer shows": {
    args: ["disown", "gone"],
    server: ADOPTING,
    written: "Parent a:gone was not Berth's.\n",
    call: ["disown", { host: "a", parent: "gone" }],
  },
  "disown takes a VM by its name": {
    args: ["disown", "a:db1"],
    server: ADOPTING,
    call: ["disown", { host: "a", vm: "u1" }],
    written: "VM a:u1 was not Berth's.\n",
  },
  "disown refuses what was not handed over": {
    args: ["disown", "b:p0"],
    server: ADOPTING,
    complaint: /^berth: unknown_parent: /,
    code: 1,
  },
  "adoptions lists both kinds": {
    args: ["adoptions"],
    server: ADOPTING,
    written: "HOST  KIND    ID\na     parent  gone\na     VM      u1\nb     parent  p1\n3 adoptions\n",
  },
  "probe exits 0 where the driver accepts": {
    args: PROBED,
    server: probing(null, null, ACCEPTED),
    written: `Probe p-1: the driver at b:p0/t accepted it.
  source            a:${UUID}
  version written   i915-v5
  its own version   i915-v6
`,
    code: 0,
  },
  "probe exits 3 where the driver refuses": {
    args: PROBED,
    server: probing({ id: "p-1", outcome: { kind: "refused", errno: "EINVAL" } }),
    written: `Probe p-1: the driver at b:p0/t refused it (EINVAL).\n  source            a:${UUID}\n  version written   i915-v5\n`,
    code: 3,
  },
  "probe exits 4 where the driver was not asked": {
    args: PROBED,
    server: probing(NOT_ASKED),
    written: `Probe p-1: the driver at b:p0/t was not asked: the device is in use [probe_in_use].\n  source            a:${UUID}\n  version written   i915-v5\n`,
    code: 4,
  },
  "probe exits 4 where no answer comes in time": {
    args: [...PROBED, "--wait", "2s"],
    server: probing(null),
    written: `Probe p-1: the driver at b:p0/t has not answered within 2 s; berth probes shows it later.\n  source            a:${UUID}\n  version written   i915-v5\n`,
    code: 4,
  },
  "probes lists what counts now": {
    args: ["probes"],
    server: {
      control: {
        listProbes: () =>
          pageOf(
            { ...PROBE, inForce: true, reply: ACCEPTED },
            { ...PROBE, wanted: { ...PROBE.wanted, at: { kind: "device", device: "d9" } } },
          ),
      },
    },
    written: `PROBE  SOURCE                                  ASKED AT  WHEN                  BY   IN FORCE  ANSWER
p-1    a:${UUID}  b:p0/t    2026-11-20 14:41:00Z  ann  yes       accepted it
p-1    a:${UUID}  b:d9      2026-11-20 14:41:00Z  ann            not answered yet
2 probes
`,
  },
  "agents tells who is heard": {
    args: ["agents"],
    server: { control: { listAgents: () => pageOf(...AGENTS) } },
    written: `HOST  AGENT                                    VERSION  GENERATION  LAST CHANGE           ENROLLED              BY   NOTE
a     connected                                0.1.0    2           2026-11-20 14:41:00Z  2026-11-20 14:41:00Z  ann
b     conflict: two agents use one credential  -        1           -                     2026-11-20 14:41:00Z  ann  two of them
2 agents
`,
  },
  "agents enrol tells what to type on the host": {
    args: ["agents", "enrol", "a", "--ttl", "2h", "--server", "https://berth.example:7411/"],
    server: {
      control: { makeEnrolment: ({ host }) => Promise.resolve({ host, token: "berth1.s.p", expiresAtMs: NOW_MS }) },
    },
    written: `Type this on a as root, once, before 2026-11-20 14:41:00Z; the token is not shown again:

  BERTH_AGENT_TOKEN=berth1.s.p berth-agent run --server https://berth.example:7411 --name a
`,
    call: ["makeEnrolment", { host: "a", ttlSeconds: 7200 }],
  },
  "agents enrol says where the URL is this machine's own": {
    args: ["agents", "enrol", "a"],
    server: {
      control: { makeEnrolment: ({ host }) => Promise.resolve({ host, token: "berth1.s.-", expiresAtMs: NOW_MS }) },
    },
    written: `Type this on a as root, once, before 2026-11-20 14:41:00Z; the token is not shown again:

  BERTH_AGENT_TOKEN=berth1.s.- berth-agent run --server http://127.0.0.1:7411 --name a

That URL is this machine's own: put the one in its place under which the host reaches the server.
`,
    call: ["makeEnrolment", { host: "a" }],
  },
  "agents revoke takes a credential back": {
    args: ["agents", "revoke", "a"],
    server: { control: { revokeAgent: (host) => done(host) } },
    written: "The agent of a is refused from now on.\n",
  },
  "audit reads today, the newest last": {
    args: ["audit"],
    server: { control: { listAudit: () => pageOf(audit(0), audit(1, { before: { a: 1 }, after: { a: 2 } })) } },
    written: `WHEN                  WHO  ACTION  TARGET  CHANGE
2026-11-20 14:41:00Z  ann  cordon  a
2026-11-20 14:41:01Z  ann  cordon  a       {"a":1} -> {"a":2}
2 changes
`,
    call: ["listAudit", { limit: 1000, day: "2026-11-20" }],
  },
  "audit keeps the newest of a day": {
    args: ["audit", "--day", "2026-11-19", "--limit", "1"],
    server: { control: { listAudit: () => pageOf(audit(0), audit(1)) } },
    written: "WHEN                  WHO  ACTION  TARGET  CHANGE\n2026-11-20 14:41:01Z  ann  cordon  a\n1 change\n",
    call: ["listAudit", { limit: 1000, day: "2026-11-19" }],
  },
  "audit reads all days": {
    args: ["audit", "--day", "all"],
    server: { control: { listAudit: () => pageOf() } },
    written: "0 changes\n",
    call: ["listAudit", { limit: 1000 }],
  },
  "audit refuses a day that is none": {
    args: ["audit", "--day", "2026-02-30"],
    complaint: /^berth: usage_bad_value: Cannot read --day "2026-02-30"/,
    code: 2,
  },
};

describe("berth", () => {
  for (const [name, { args, server, written = "", complaint = /^$/, code = 0, call }] of Object.entries(CASES)) {
    it(name, async () => {
      const ran = await runWith(args, server);
      assert.equal(ran.written, written);
      assert.match(ran.complaint, complaint);
      assert.equal(ran.code, code);
      if (call !== undefined) assert.deepEqual(ran.calls.at(-1), call);
    });
  }

  it("probe asks twice a second until the driver has answered, and not at all without a wait", async () => {
    assert.deepEqual((await runWith(PROBED, probing(null, null, ACCEPTED))).waits, [500, 500]);
    assert.equal((await runWith([...PROBED, "--wait", "2s"], probing(null))).waits.length, 4);
    const none = await runWith([...PROBED, "--wait", "0s", "--json"], probing(null));
    assert.deepEqual([none.waits, none.code], [[], 4]);
    assert.deepEqual(JSON.parse(none.written), {
      berth: "probe/v1",
      generation: GENERATION,
      probe: PROBE,
      exitCode: 4,
    });
  });
});
