// SPDX-License-Identifier: Apache-2.0

import { TEST_DEVICE } from "./test-server.ts";
import type { Claim } from "@berth/core/claim/claim";
import { claimOf } from "@berth/core/claim/test-claim";
import { NO_MEMORY } from "@berth/core/compatibility/pair";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { AgentItem, DoneAnswer, ProbeItem } from "@berth/core/protocol/api/control-answers";
import type { Caller } from "../claims/claim-book.ts";
import type { AdoptionDocument } from "../documents/documents.ts";
import type { FleetView } from "../inventory/fleet-view.ts";
import type { Held, HostDocuments, Replica } from "../replica/replica.ts";
import { MemoryJournal } from "../store/memory/memory-journal.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import type { Control } from "./control.ts";

/** The credential of the agent of host `b`. */
export const TEST_CREDENTIAL: string = "c".repeat(43);

/** Something that the API said to a control plane of tests: the method, and what it was given. */
export type Told = readonly [string, ...unknown[]];

/** A control plane of tests: it answers, and remembers what it was told. */
export interface TestControl extends Control {
  readonly told: Told[];
  /** Claims that it shows. */
  readonly claimsShown: Held<Claim>[];
  readonly agentsShown: AgentItem[];
  readonly probesShown: ProbeItem[];
  readonly adopted: Map<string, AdoptionDocument>;
}

/** An agent of a list, connected unless said. */
export function testAgent(host: string, parts: Partial<AgentItem> = {}): AgentItem {
  return {
    host,
    life: "connected",
    version: "0.1.0",
    generation: 1,
    enrolledAtMs: 0,
    enrolledBy: "ops",
    reportedAtMs: null,
    notices: [],
    ...parts,
  };
}

/** A question to the driver of host `b`, not answered yet unless said. */
export function testProbe(id: string, parts: Partial<ProbeItem> = {}): ProbeItem {
  return {
    id,
    host: "b",
    wanted: { id, at: { kind: "type", parent: "p0", type: "drv-a" }, version: "v1", driverPrefix: "drv" },
    source: { host: "a", subject: "x" },
    principal: "ops",
    createdAtMs: 0,
    reply: null,
    answeredAtMs: null,
    inForce: false,
    ...parts,
  };
}

/** A control plane of tests over a view; parts of it can be replaced. */
export function testControl(view: FleetView, parts: Partial<Control> = {}): TestControl {
  const shown: Shown = { view, told: [], claimsShown: [], agentsShown: [], probesShown: [], adopted: new Map() };
  const { told, claimsShown, agentsShown, probesShown, adopted } = shown;
  return {
    told,
    claimsShown,
    agentsShown,
    probesShown,
    adopted,
    replica: testReplica(shown),
    claims: testClaims(shown),
    agents: testDesk(shown),
    orders: testOrders(shown),
    probes: testProbes(shown),
    ...parts,
  };
}

type Shown = Pick<TestControl, "told" | "claimsShown" | "agentsShown" | "probesShown" | "adopted"> & {
  readonly view: FleetView;
};

const NOT_NEEDED = (): never => {
  throw new Error("The API has no need of this");
};

function testReplica({ view, claimsShown, adopted }: Shown): Replica {
  const store = new MemoryStore(new MemoryJournal({ epoch: "test", alarm: () => () => undefined }));
  return {
    name: "r",
    store,
    view,
    catalogue: { find: NOT_NEEDED },
    cursor: { epoch: "test", revision: 7 },
    findHost: (host): HostDocuments | undefined => {
      const document = adopted.get(host);
      return document && { host, adoption: { document, revision: 1 } };
    },
    findClaim: (id) => claimsShown.find(({ document }) => document.id === id),
    listClaims: (host) => claimsShown.filter(({ document }) => document.host === host),
    listAllClaims: () => claimsShown,
    lagSeconds: () => 0,
    reached: NOT_NEEDED,
    onDesired: NOT_NEEDED,
    close: NOT_NEEDED,
  } as Partial<Replica> as Replica;
}

function testClaims({ view, told, claimsShown }: Shown): Control["claims"] {
  const move = (name: string) => async (id: string, caller: Caller) => {
    told.push([name, id, caller]);
    const held = claimsShown.find(({ document }) => document.id === id);
    if (held === undefined) throw new BerthError("unknown_claim", "There is no such claim");
    return held;
  };
  return {
    claim: async (body, caller) => {
      told.push(["claim", body, caller]);
      const claim = { ...claimOf({ principal: caller.principal }), revision: 8 };
      return { kind: "granted", generation: view.generation, claim, tried: [], dryRun: false, steps: [] };
    },
    confirm: move("confirm"),
    release: move("release"),
    repair: move("repair"),
    clearOrphans: async ({ host, claim, devices }, caller) => {
      told.push(["clearOrphans", host, claim, devices, caller]);
      return { document: claimOf(), revision: 9 };
    },
    commit: (id, body, caller) => move(`commit ${body.source ?? ""}`)(id, caller),
    fence: async (host, caller) => {
      told.push(["fence", host, caller]);
      return ["claim-1"];
    },
    hear: NOT_NEEDED,
    raiseFence: NOT_NEEDED,
    expire: NOT_NEEDED,
    repairsDrift: () => false,
  };
}

function testDesk({ told, agentsShown }: Shown): Control["agents"] {
  return {
    makeEnrolment: async (body, caller) => {
      told.push(["makeEnrolment", body, caller]);
      return { host: body.host, token: `berth1.${"s".repeat(32)}.-`, expiresAtMs: 1 };
    },
    enrol: async (request) => {
      told.push(["enrol", request]);
      return { host: request.host, credential: TEST_CREDENTIAL };
    },
    authenticate: (credential) => {
      if (credential === TEST_CREDENTIAL) return "b";
      throw new BerthError("agent_not_authenticated", "No agent has this credential");
    },
    hello: async (host, request) => {
      told.push(["hello", host, request]);
      return { kind: "welcome", protocol: 1, features: [] };
    },
    report: async (host, request) => {
      told.push(["report", host, request]);
      return { kind: "applied", digest: "0".repeat(64), generation: 1, sequence: 1 };
    },
    desired: async (host, request) => {
      told.push(["desired", host, request]);
      return { kind: "same", cursor: { epoch: "test", revision: 1 } };
    },
    hear: async (host, request) => {
      told.push(["hear", host, request]);
      return { events: [] };
    },
    revoke: async (host, caller) => void told.push(["revoke", host, caller]),
    listAgents: () => agentsShown,
    findLife: (host) => agentsShown.find((agent) => agent.host === host)?.life,
    listNotices: () => [
      { claim: "claim-1", reason: { code: "driver_changed", text: "The driver is another" } },
      { claim: TEST_DEVICE.device, reason: { code: "orphan", text: "Nobody names it" }, devices: ["x"] },
    ],
    isHeard: () => true,
    readText: async (host, path) => (path === "/proc/1/x" ? `the text on ${host}` : null),
    close: async () => undefined,
  };
}

function testOrders({ view, told, adopted }: Shown): Control["orders"] {
  const done = (name: string, host: string, more: readonly unknown[]): Promise<DoneAnswer> => {
    told.push([name, host, ...more]);
    return Promise.resolve({ generation: view.generation, host, changed: true, claims: [] });
  };
  return {
    cordon: async (host, body, caller) => await done("cordon", host, [body, caller]),
    uncordon: async (host, caller) => await done("uncordon", host, [caller]),
    forget: async (host, caller) => await done("forget", host, [caller]),
    adopt: async (body, caller) => await done("adopt", body.host, [body, caller]),
    disown: async (body, caller) => await done("disown", body.host, [body, caller]),
    listAdoptions: () => [...adopted.values()],
  };
}

function testProbes({ told, probesShown }: Shown): Control["probes"] {
  return {
    probe: async (body, caller) => {
      told.push(["probe", body, caller]);
      return testProbe("probe-1");
    },
    find: (id) => probesShown.find((probe) => probe.id === id),
    list: () => probesShown,
    hear: NOT_NEEDED,
    memory: NO_MEMORY,
  };
}
