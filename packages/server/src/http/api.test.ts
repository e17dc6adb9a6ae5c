// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { FastifyInstance, InjectOptions } from "fastify";
import fc from "fast-check";
import { claimOf } from "@berth/core/claim/test-claim";
import { ANSWER_SCHEMAS } from "@berth/core/protocol/api/answer-schemas";
import { makeClient, readAllPages, type ApiClient } from "@berth/core/protocol/api/client";
import type { Endpoint } from "@berth/core/protocol/api/endpoint";
import { OPERATIONS } from "@berth/core/protocol/api/endpoints";
import type { ErrorAnswer } from "@berth/core/protocol/api/answers";
import { testSnapshot } from "@berth/core/placement/test-fleet";
import { BerthError } from "@berth/core/protocol/berth-error";
import { findProblems, formatProblem } from "@berth/core/protocol/validate-document";
import type { FleetView } from "../inventory/fleet-view.ts";
import { fetchInProcess } from "./in-process.ts";
import { TEST_CREDENTIAL, testAgent, testControl, testProbe } from "./test-control.ts";
import { TEST_DEVICE, TEST_TEXT_PATH, TEST_VM, testServer, testView, troubledSnapshot } from "./test-server.ts";

const PATH_PARTS: Readonly<Record<string, string>> = { host: TEST_DEVICE.host, id: TEST_DEVICE.device };
const SESSION = "s1";
const HELLO = {
  hello: "berth.hello/v1",
  host: "b",
  version: "0.1.0",
  protocol: { min: 1, max: 1 },
  features: [],
  generation: 1,
};
const REPORT = {
  report: "berth.report/v1",
  kind: "unchanged",
  host: "b",
  generation: 1,
  sequence: 1,
  digest: "0".repeat(64),
};
const BODIES: Readonly<Record<string, object>> = {
  createClaim: { for: TEST_DEVICE },
  createProbe: { source: TEST_DEVICE, destination: { host: "b", parent: "p0", type: "drv-a" } },
  adopt: { host: "a", parent: "p0" },
  disown: { host: "a", vm: TEST_VM.id },
  createEnrolment: { host: "z" },
  enrolAgent: { secret: "s".repeat(32), host: "b" },
  openSession: { session: SESSION, hello: HELLO, fence: 0 },
  takeReport: { session: SESSION, report: REPORT },
  readDesired: { session: SESSION, waitMs: 0 },
  takeEvents: { session: SESSION, events: [], notices: [], probes: [] },
  checkPair: { source: TEST_DEVICE, destination: { host: "b", parent: "p0", type: "drv-a" } },
  findCandidates: { source: TEST_DEVICE },
};

/** What stands for `{id}` where it is not a device. */
const IDS: Readonly<Record<string, string>> = {
  "/v1/vms": TEST_VM.id,
  "/v1/claims": "claim-1",
  "/v1/probes": "probe-1",
};

function urlOf({ path }: Endpoint): string {
  const [, id] = Object.entries(IDS).find(([prefix]) => path.startsWith(prefix)) ?? [];
  const query = path.endsWith("/texts") ? `?path=${encodeURIComponent(TEST_TEXT_PATH)}` : "";
  const filled = path.replace(
    /\{(\w+)\}/g,
    (_whole, name: string) => (name === "id" && id) || (PATH_PARTS[name] ?? ""),
  );
  return `${filled}${query}`;
}

/** A server over a control plane that has one of everything. */
function fullServer(): FastifyInstance {
  const view = testView();
  const backup = async (): Promise<string> => {
    const path = join(tmpdir(), `berth-backup-${randomUUID()}`);
    writeFileSync(path, "x".repeat(1000));
    return path;
  };
  const control = testControl(view, { backup });
  const accepted = { id: "probe-1", outcome: { kind: "accepted" }, destinationVersion: "v2" } as const;
  control.claimsShown.push({ document: claimOf(), revision: 3 });
  control.agentsShown.push(testAgent("a"), testAgent("b", { life: "silent", version: null }));
  control.probesShown.push(
    testProbe("probe-1", { reply: accepted, answeredAtMs: 5, inForce: true }),
    testProbe("probe-2"),
  );
  control.adopted.set("a", { host: "a", parents: ["p0"], vms: [TEST_VM.id] });
  return testServer(view, { control });
}

interface Fixture {
  readonly view: FleetView;
  readonly server: FastifyInstance;
  readonly client: ApiClient;
}

function fixture(): Fixture {
  const view = testView();
  const server = testServer(view);
  return { view, server, client: makeClient(fetchInProcess(server)) };
}

async function failureOf(promise: Promise<unknown>): Promise<BerthError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof BerthError) return error;
    throw error;
  }
  throw new Error("Nothing failed");
}

/** The error of an answer, which must have the one shape and the status of its code. */
async function refusalOf(server: FastifyInstance, request: InjectOptions): Promise<ErrorAnswer> {
  const answer = await server.inject(request);
  const body = answer.json<ErrorAnswer>();
  assert.deepEqual(findProblems(ANSWER_SCHEMAS.Error, body).map(formatProblem), []);
  assert.match(answer.headers["content-type"] ?? "", /^application\/json/);
  assert.equal(answer.headers["x-content-type-options"], "nosniff");
  assert.equal(answer.statusCode, new BerthError(body.code as "internal", "").httpStatus);
  return body;
}

describe("every operation", () => {
  const server = fullServer();
  for (const [name, endpoint] of OPERATIONS) {
    if (endpoint.answer.kind === "events") continue;
    it(`${name} answers what its schema says, under strict headers`, async () => {
      const body = BODIES[name];
      const headers = endpoint.role === "agent" ? { authorization: `Bearer ${TEST_CREDENTIAL}` } : {};
      const { method } = endpoint;
      const answer = await server.inject({ method, url: urlOf(endpoint), headers, ...(body && { body }) });
      assert.equal(answer.statusCode, 200, answer.body);
      assert.match(answer.headers["content-security-policy"]?.toString() ?? "", /default-src 'none'/);
      assert.equal(answer.headers["cache-control"], "no-store");
      if (endpoint.answer.kind !== "json") {
        assert.ok(answer.body.length > 500);
        return;
      }
      const document = answer.json<{ generation?: unknown }>();
      assert.deepEqual(findProblems(ANSWER_SCHEMAS[endpoint.answer.schema], document).map(formatProblem), []);
      const hasNone = ["createEnrolment", "enrolAgent"].includes(name) || ["agent", "anyone"].includes(endpoint.role);
      if (!hasNone) assert.deepEqual(document.generation, { epoch: "test", revision: 5 });
    });
  }
});

describe("lists", () => {
  it("give every entry once, in order, whatever the page size", async () => {
    const { client } = fixture();
    const lists = {
      hosts: (query: object) => client.listHosts(query),
      parents: (query: object) => client.listParents(query),
      pools: (query: object) => client.listPools(query),
      types: (query: object) => client.listTypes(query),
      devices: (query: object) => client.listDevices(query),
      classes: (query: object) => client.listClasses(query),
      problems: (query: object) => client.listProblems(query),
      capacity: (query: object) => client.listCapacity(query),
    };
    const counts: Record<string, number> = {};
    for (const [name, read] of Object.entries(lists)) {
      const whole: readonly unknown[] = (await read({})).items;
      const cut = await readAllPages<unknown>(({ cursor }) =>
        read({ limit: 1, ...(cursor === undefined ? {} : { cursor }) }),
      );
      assert.deepEqual(cut.items, whole, name);
      counts[name] = whole.length;
    }
    assert.deepEqual(counts, {
      hosts: 5,
      parents: 5,
      pools: 5,
      types: 1,
      devices: 2,
      classes: 3,
      problems: 2,
      capacity: 1,
    });
  });

  it("neither hide nor repeat what stays while others come and go between two pages", async () => {
    const { client, view } = fixture();
    const first = await client.listHosts({ limit: 2 });
    view.removeHost("b");
    view.putSnapshot(troubledSnapshot("aa"));
    view.putSnapshot(troubledSnapshot("bb"));
    const rest = await client.listHosts({ cursor: first.next ?? "" });
    assert.deepEqual(
      [...first.items, ...rest.items].map(({ host }) => host),
      ["a", "b", "bb", "c", "d", "e"],
    );
    assert.ok(rest.generation.revision > first.generation.revision);
  });

  it("are filtered by host, type and parent", async () => {
    const { client } = fixture();
    assert.deepEqual(
      (await client.listParents({ host: "b" })).items.map(({ id }) => id),
      ["p0", "p1"],
    );
    assert.equal((await client.listDevices({ type: "drv-a", parent: "p0", host: "c" })).items.length, 1);
    assert.equal((await client.listDevices({ type: "drv-b" })).items.length, 0);
    assert.equal((await failureOf(client.listPools({ host: "nowhere" }))).code, "unknown_host");
  });

  it("sort problems by path and say how much of a type fits", async () => {
    const { client, view } = fixture();
    assert.deepEqual((await client.listCapacity()).items[0]?.cordoned, { atLeast: 0, atMost: 0 });
    view.cordonHost("b");
    assert.deepEqual(
      (await client.listProblems()).items.map(({ path }) => path),
      ["/sys/a", "/sys/b"],
    );
    const [capacity] = (await client.listCapacity()).items;
    assert.deepEqual(capacity, {
      type: "drv-a",
      hosts: 4,
      pools: 5,
      devices: 2,
      room: { atLeast: 7, atMost: null },
      full: 1,
      unknown: 1,
      cordoned: { atLeast: 6, atMost: 6 },
    });
    assert.equal((await client.listHosts()).items.find(({ host }) => host === "b")?.cordoned, true);
  });

  it("refuse a cursor of another list, a changed one, and a size that is none", async () => {
    const { client, server } = fixture();
    const { next = "" } = await client.listHosts({ limit: 1 });
    for (const url of [`/v1/parents?cursor=${next}`, "/v1/hosts?cursor=AAAA", "/v1/hosts?cursor=%22"]) {
      assert.equal((await refusalOf(server, { url })).code, "cursor_malformed", url);
    }
    for (const url of [
      "/v1/hosts?limit=0",
      "/v1/hosts?limit=1001",
      "/v1/hosts?limit=ten",
      "/v1/hosts?limit=1&limit=2",
      "/v1/hosts?limmit=1",
      "/v1/hosts?__proto__=1",
      "/v1/hosts?constructor=1",
      "/v1/events?since=1",
    ]) {
      assert.equal((await refusalOf(server, { url })).code, "request_malformed", url);
    }
  });
});

describe("POST /v1/candidates", () => {
  it("names the best places, counts the others and says what would mend them", async () => {
    const { client, view } = fixture();
    const types = [{ id: "drv-a", available: 3, version: "1.4.0", compatible: { x: "1" } }];
    view.putSnapshot(testSnapshot({ host: "cc", parents: [{ id: "p0", types }] }));
    const answer = await client.findCandidates({ source: TEST_DEVICE });
    assert.deepEqual(
      answer.candidates.map(({ rank, host, parent }) => [rank, host, parent]),
      [
        [1, "b", "p0"],
        [2, "b", "p1"],
      ],
    );
    assert.deepEqual(
      answer.outcomes?.map(({ kind, code, places, hosts }) => [kind, code, places, hosts]),
      [
        ["candidate", "", 2, 1],
        ["not-now", "no_room", 1, 1],
        ["not-as-it-stands", "software_version_minor", 2, 2],
      ],
    );
    assert.deepEqual(answer.outcomes?.[2]?.example, { host: "cc", parent: "p0", type: "drv-a" });
    assert.match(answer.outcomes?.[2]?.why ?? "", /1\.4\.0/);
    assert.equal(answer.outcomes?.[2]?.remedies[0]?.kind, "upgrade-driver");
    assert.deepEqual(answer.excludedHosts, ["a"]);
  });

  it("keeps off cordoned hosts and those that are left out, and to those that are named", async () => {
    const { client, view } = fixture();
    const hostsOf = async (request: object): Promise<readonly string[]> =>
      (await client.findCandidates({ source: TEST_DEVICE, ...request })).candidates.map(({ host }) => host);
    assert.deepEqual(await hostsOf({ limit: 1, strategy: "spread" }), ["b"]);
    assert.deepEqual(await hostsOf({ exceptHosts: ["b"] }), []);
    assert.deepEqual(await hostsOf({ hosts: ["c", "d"] }), []);
    view.cordonHost("b");
    assert.deepEqual(await hostsOf({}), []);
    view.uncordonHost("b");
    assert.deepEqual(await hostsOf({ explain: false }), ["b", "b"]);
    assert.equal((await failureOf(hostsOf({ exceptHosts: ["bb"] }))).code, "unknown_host");
    assert.equal((await failureOf(hostsOf({ hosts: ["bb"] }))).place, "/hosts/0");
  });

  it("wants the NUMA node of the source's parent unless another is named", async () => {
    const { client, view } = fixture();
    const types = [{ id: "drv-a", available: 1, version: "1.5.0", compatible: { x: "1" } }];
    view.putSnapshot(testSnapshot({ host: "bb", parents: [{ id: "p0", types, numaNode: 5 }] }));
    const first = async (request: object): Promise<string | undefined> =>
      (await client.findCandidates({ source: TEST_DEVICE, limit: 1, ...request })).candidates[0]?.host;
    assert.equal(await first({}), "bb");
    assert.equal(await first({ strategy: "numa" }), "b");
    assert.equal(await first({ strategy: "numa", numaNode: 5 }), "bb");
  });

  it("finds the same for a profile that is sent along, and judges by a policy that is sent along", async () => {
    const { client } = fixture();
    const { source, candidates } = await client.findCandidates({ source: TEST_DEVICE });
    const sent = await client.findCandidates({ source: { profile: source } });
    assert.deepEqual(
      sent.candidates.map(({ host, parent }) => [host, parent]),
      candidates.map(({ host, parent }) => [host, parent]),
    );
    const policy = { policy: "berth.policy/v1", assumePlatform: false };
    const [strict] = (await client.findCandidates({ source: TEST_DEVICE, policy })).candidates;
    assert.equal(candidates[0]?.platform.kind, "compatible");
    assert.equal(strict?.platform.kind, "undetermined");
    assert.equal(
      (await failureOf(client.findCandidates({ source: TEST_DEVICE, policy: { policy: "x" } }))).httpStatus,
      422,
    );
    assert.equal((await failureOf(client.findCandidates({ source: { profile: {} } }))).code, "profile_malformed");
  });
});

describe("POST /v1/checks", () => {
  it("answers each kind of pair", async () => {
    const { client } = fixture();
    const type = await client.checkPair({
      source: TEST_DEVICE,
      destination: { host: "c", parent: "p0", type: "drv-a" },
    });
    assert.deepEqual([type.verdict.kind, type.room], ["compatible", { atLeast: 0, atMost: 0 }]);
    const device = { host: "c", device: "00000000-0000-4000-8000-00000000000C" };
    assert.equal((await client.checkPair({ source: TEST_DEVICE, destination: device })).room, null);
    const profiles = { source: { profile: type.source }, destination: { profile: type.destination } };
    const files = await client.checkPair(profiles);
    assert.deepEqual([files.verdict.kind, files.room], ["compatible", null]);
    const unlimited = await client.checkPair({
      source: TEST_DEVICE,
      destination: { host: "d", parent: "p0", type: "drv-a" },
    });
    assert.deepEqual([unlimited.verdict.kind, unlimited.room], ["incompatible", { atLeast: 0, atMost: null }]);
  });

  it("names what is not there", async () => {
    const { client } = fixture();
    const check = async (destination: object): Promise<readonly [string, string | undefined]> => {
      const { code, place } = await failureOf(
        client.checkPair({ source: TEST_DEVICE, destination: destination as never }),
      );
      return [code, place];
    };
    assert.deepEqual(await check({ host: "x", device: "y" }), ["unknown_host", "/destination/host"]);
    assert.deepEqual(await check({ host: "b", device: "y" }), ["unknown_device", "/destination/device"]);
    assert.deepEqual(await check({ host: "b", parent: "y", type: "z" }), ["unknown_parent", "/destination/parent"]);
    assert.deepEqual(await check({ host: "b", parent: "p0", type: "z" }), ["unknown_type", "/destination/type"]);
    assert.deepEqual(await check(TEST_DEVICE), ["invalid_reference", "/destination"]);
  });
});

describe("errors", () => {
  const { server, client } = fixture();
  const json = { "content-type": "application/json" };
  const post = (body: string | Buffer, headers: Record<string, string> = json): InjectOptions => {
    return { method: "POST", url: "/v1/candidates", headers, body };
  };
  const CASES: Record<string, { request: InjectOptions; code: string }> = {
    "no such resource": { request: { url: "/v1/nothing" }, code: "not_found" },
    "no such host": { request: { url: "/v1/hosts/nowhere" }, code: "unknown_host" },
    "a host named like a property": { request: { url: "/v1/hosts/__proto__" }, code: "unknown_host" },
    "no such device": { request: { url: "/v1/devices/a/x" }, code: "unknown_device" },
    "a path that is no URL": { request: { url: "/v1/hosts/%zz" }, code: "request_malformed" },
    "another method": { request: { method: "DELETE", url: "/v1/hosts" }, code: "method_not_allowed" },
    "no body": { request: { method: "POST", url: "/v1/candidates" }, code: "request_malformed" },
    "no JSON": { request: post("{"), code: "json_malformed" },
    "a key twice": { request: post('{"source":1,"source":2}'), code: "json_malformed" },
    "__proto__ as a key": { request: post('{"__proto__":{}}'), code: "json_malformed" },
    "deep nesting": { request: post("[".repeat(10_000)), code: "json_malformed" },
    "an unknown key": { request: post('{"source":{"host":"a","device":"b"},"limmit":1}'), code: "request_malformed" },
    "a limit above the most": {
      request: post(JSON.stringify({ source: TEST_DEVICE, limit: 101 })),
      code: "request_malformed",
    },
    "another media type": { request: post("a=b", { "content-type": "text/plain" }), code: "media_type_unsupported" },
    "a body above the limit": { request: post(" ".repeat(1024 * 1024 + 1)), code: "body_too_large" },
    "a name of another machine": {
      request: { url: "/healthz", headers: { host: "evil.example:7411" } },
      code: "host_header_refused",
    },
  };
  for (const [name, { request, code }] of Object.entries(CASES)) {
    it(`tell ${name}`, async () => assert.equal((await refusalOf(server, request)).code, code));
  }

  it("reach the typed client with code, place, expected and details", async () => {
    const failure = await failureOf(client.findCandidates({ source: { host: "a" } as never, limit: 0 }));
    assert.equal(failure.code, "request_malformed");
    assert.equal(failure.place, "body");
    assert.deepEqual(failure.details.toSorted(), [
      "/limit: expected a number from 1 to 100, got 0",
      "/source/device: expected a name, 1 to 255 characters, got nothing",
    ]);
  });

  it("say nothing of our own faults but that they are ours", async () => {
    const broken = testServer(testView(), {
      lagSeconds: () => {
        throw new Error("secret");
      },
    });
    const { code, message } = await refusalOf(broken, { url: "/readyz" });
    assert.equal(code, "internal");
    assert.doesNotMatch(message, /secret/);
  });

  it("P1: no body, whatever it holds, is answered with anything but an answer or a coded refusal", async () => {
    const name = fc.oneof(fc.constantFrom("a", "b", "p0", "drv-a", TEST_DEVICE.device, "__proto__"), fc.string());
    const end = fc.oneof(
      fc.record({ host: name, device: name }),
      fc.record({ host: name, parent: name, type: name }),
      fc.record({
        profile: fc.oneof(fc.jsonValue(), fc.record({ profile: fc.constant("berth.profile/v1"), host: name })),
      }),
      fc.jsonValue(),
    );
    const body = fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          source: end,
          destination: end,
          hosts: fc.oneof(fc.array(name), fc.jsonValue()),
          exceptHosts: fc.array(name),
          limit: fc.oneof(fc.integer(), fc.jsonValue()),
          strategy: fc.oneof(fc.constantFrom("numa", "pack"), fc.jsonValue()),
          numaNode: fc.oneof(fc.integer(), fc.double()),
          policy: fc.jsonValue(),
        },
        { requiredKeys: ["source"] },
      ),
    );
    const url = fc.constantFrom("/v1/candidates", "/v1/checks");
    await fc.assert(
      fc.asyncProperty(url, body, async (path, value) => {
        const answer = await server.inject({ method: "POST", url: path, headers: json, body: JSON.stringify(value) });
        if (answer.statusCode === 200) {
          const schema = path === "/v1/checks" ? ANSWER_SCHEMAS.Check : ANSWER_SCHEMAS.Candidates;
          assert.deepEqual(findProblems(schema, answer.json()), []);
          return;
        }
        assert.ok(answer.statusCode >= 400 && answer.statusCode < 500, answer.body);
        assert.deepEqual(findProblems(ANSWER_SCHEMAS.Error, answer.json()), []);
      }),
      { numRuns: 300 },
    );
  });
});

describe("/readyz", () => {
  it("is 503 until hosts were read and while the inventory is behind", async () => {
    for (const [lag, status] of [
      [undefined, 503],
      [0, 200],
      [5, 200],
      [5.1, 503],
    ] as const) {
      const server = testServer(testView(), { lagSeconds: () => lag });
      const answer = await server.inject({ url: "/readyz" });
      assert.equal(answer.statusCode, status, String(lag));
      assert.equal((await makeClient(fetchInProcess(server)).readReadiness()).lagSeconds, lag ?? null);
    }
  });
});

describe("/metrics", () => {
  it("counts requests by operation and status, and the inventory", async () => {
    const { server, client } = fixture();
    await client.listHosts();
    await failureOf(client.readHost("nowhere"));
    const { body } = await server.inject({ url: "/metrics" });
    assert.match(body, /^berth_http_requests_total\{operation="listHosts",status="200"\} 1$/m);
    assert.match(body, /^berth_http_requests_total\{operation="readHost",status="404"\} 1$/m);
    assert.match(body, /^berth_hosts 5$/m);
    assert.match(body, /^berth_index_places 5$/m);
    assert.match(body, /^berth_problems 2$/m);
  });
});
