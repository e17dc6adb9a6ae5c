// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { FastifyInstance } from "fastify";
import { STRICT_POLICY } from "@berth/core/compatibility/policy";
import { parseEnrolmentToken } from "@berth/core/protocol/agent/agent-wire";
import type { ErrorAnswer } from "@berth/core/protocol/api/answers";
import type { EnrolmentAnswer } from "@berth/core/protocol/api/control-answers";
import { ROLES, type Endpoint } from "@berth/core/protocol/api/endpoint";
import { OPERATIONS } from "@berth/core/protocol/api/endpoints";
import { ERROR_CODES, type ErrorCode } from "@berth/core/protocol/error-codes";
import { parseTokensDocument } from "../access/tokens.ts";
import { startControlPlane, type ControlPlane } from "../control-plane/start-control-plane.ts";
import { sha256 } from "../documents/keys.ts";
import { ManualAlarm } from "../store/memory/manual-alarm.ts";
import { MemoryJournal } from "../store/memory/memory-journal.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import { makeApiServer } from "./make-server.ts";

const TOKENS = Object.fromEntries(ROLES.map((role) => [role, `${role}-${"t".repeat(36)}`]));

interface Served {
  readonly plane: ControlPlane;
  readonly server: FastifyInstance;
  /** Bearers by who speaks. */
  readonly bearers: Readonly<Record<string, string>>;
  readonly log: string[];
}

/** A whole control plane over a store in memory, served with a token of each role and two agents, one of them revoked. */
async function serve(): Promise<Served> {
  const journal = new MemoryJournal({ epoch: "test", alarm: new ManualAlarm().set });
  const log: string[] = [];
  const plane = await startControlPlane({
    store: new MemoryStore(journal),
    policy: STRICT_POLICY,
    packs: [],
    log: (line) => void log.push(line),
    onFatal: (error) => {
      throw error;
    },
    alarm: new ManualAlarm().set,
  });
  const entries = ROLES.map((role) => ({ name: `the-${role}`, role, sha256: sha256(TOKENS[role] ?? "") }));
  const tokens = parseTokensDocument({ tokens: "berth.tokens/v1", entries }, "tokens");
  const logger = { level: "trace", stream: { write: (line: string): void => void log.push(line) } };
  const { control } = plane;
  const server = makeApiServer({
    view: control.replica.view,
    control,
    version: "0.0.0",
    tokens: () => tokens,
    limits: { failures: { perSecond: 1e6, burst: 1e6 } },
    logger,
  });
  const enrol = async (host: string): Promise<string> => {
    const headers = { authorization: `Bearer ${TOKENS["admin"]}` };
    const invited = await server.inject({ method: "POST", url: "/v1/enrolments", headers, body: { host } });
    const { secret } = parseEnrolmentToken(invited.json<EnrolmentAnswer>().token);
    const answer = await server.inject({ method: "POST", url: "/v1/agent/enrol", body: { secret, host } });
    return answer.json<{ credential: string }>().credential;
  };
  const [agent, revoked] = [await enrol("h1"), await enrol("h2")];
  await control.agents.revoke("h2", { principal: "test" });
  return { plane, server, bearers: { ...TOKENS, agent, revoked, stranger: "x".repeat(43) }, log };
}

let served: Served;
before(async () => {
  served = await serve();
});
after(async () => {
  await served.server.close();
  await served.plane.close();
});

interface Asked {
  readonly status: number;
  readonly code: string | undefined;
  readonly text: string;
}

async function ask(
  url: string,
  request: { readonly method?: string; readonly who?: string; readonly body?: unknown } = {},
): Promise<Asked> {
  const { method = "GET", who, body } = request;
  const bearer = who === undefined ? undefined : served.bearers[who];
  const headers = {
    ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  };
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const answer = await served.server.inject({
    method: method as "GET",
    url,
    headers,
    ...(text === undefined ? {} : { body: text }),
  });
  const type = String(answer.headers["content-type"]);
  const isError = answer.statusCode >= 400 && answer.body !== "";
  const code = isError && type.startsWith("application/json") ? answer.json<ErrorAnswer>().code : undefined;
  return { status: answer.statusCode, code, text: answer.body };
}

function urlOf({ path }: Endpoint): string {
  return path.replace(/\{\w+\}/g, "nobody");
}

/** What refuses a request before anything of it is read; undefined: it is let through. */
function refusalOf(role: Endpoint["role"], who: string | undefined): ErrorCode | undefined {
  if (role === "anyone") return undefined;
  if (role === "agent") {
    return who === "agent" ? undefined : who === "revoked" ? "agent_revoked" : "agent_not_authenticated";
  }
  const own = ROLES.findIndex((name) => name === who);
  if (own < 0) return "not_authenticated";
  return own < ROLES.indexOf(role) ? "not_allowed" : undefined;
}

const GATES: readonly string[] = ["agent_not_authenticated", "agent_revoked", "not_authenticated", "not_allowed"];

describe("every endpoint", () => {
  for (const [name, endpoint] of OPERATIONS) {
    it(`lets in whom it is for, and nobody else: ${name}`, async () => {
      for (const who of [undefined, ...Object.keys(served.bearers)]) {
        const expected = refusalOf(endpoint.role, who);
        // A stream that is let in does not end.
        if (endpoint.answer.kind === "events" && expected === undefined) continue;
        const body = endpoint.method === "POST" ? {} : undefined;
        const { status, code } = await ask(urlOf(endpoint), {
          method: endpoint.method,
          ...(who === undefined ? {} : { who }),
          body,
        });
        if (expected === undefined) assert.ok(!GATES.includes(code ?? ""), `${who ?? "nobody"}: ${status} ${code}`);
        else assert.deepEqual([who, code, status], [who, expected, ERROR_CODES[expected].httpStatus]);
        assert.ok(status !== 500, `${who ?? "nobody"}: ${code}`);
      }
    });
  }
});

/** Parts of a path that lead elsewhere, or are no name of anything. */
const ODD_PARTS = [
  "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
  "..%2f..",
  "%20",
  "%00",
  "%0a",
  "%C3%A9",
  "%F0%9F%92%A9",
  "__proto__",
  "constructor",
  "toString",
  "a".repeat(1000),
  "%61".repeat(600),
  "claim%2Fx",
  "x%3Fy",
];
const BROKEN_PARTS = ["%", "%zz", "%E9", "a".repeat(5000)];

describe("what is no name", () => {
  it("is refused with a code in every path, whoever asks", async () => {
    for (const [name, endpoint] of OPERATIONS) {
      if (!endpoint.path.includes("{")) continue;
      for (const part of [...ODD_PARTS, ...BROKEN_PARTS]) {
        const url = endpoint.path.replace(/\{\w+\}/g, part);
        const { status, code } = await ask(url, {
          method: endpoint.method,
          who: "admin",
          body: endpoint.method === "POST" ? {} : undefined,
        });
        assert.ok(status >= 400 && status < 500, `${name} ${part}: ${status} ${code}`);
      }
    }
  });

  it("is refused with a code in every query", async () => {
    const odd = [
      "__proto__=1",
      "constructor=1",
      "limit=__proto__",
      "limit=1e9",
      "limit=-1",
      "cursor=%00",
      "host=__proto__&host=x",
      "cursor=WyJhIl0",
      "day=../x",
      "host=%ff",
      "state=__proto__",
    ];
    for (const [name, endpoint] of OPERATIONS) {
      if (endpoint.method !== "GET" || endpoint.role === "anyone" || endpoint.answer.kind !== "json") continue;
      for (const query of odd) {
        const { status, code } = await ask(`${urlOf(endpoint)}?${query}`, { who: "admin" });
        assert.ok(status < 500, `${name} ${query}: ${status} ${code}`);
      }
    }
  });

  it("is refused with a code as a place to go on from in every list", async () => {
    for (const [name, endpoint] of OPERATIONS) {
      if (endpoint.query?.["cursor"] === undefined) continue;
      for (const key of [
        [],
        [""],
        ["\u0000"],
        ["é"],
        ["a b"],
        ["x".repeat(1000)],
        ["audit/"],
        ["audit0"],
        ["__proto__"],
      ]) {
        for (const list of [name, `${name} `]) {
          const cursor = Buffer.from(JSON.stringify([list, ...key])).toString("base64url");
          const { status, code } = await ask(`${urlOf(endpoint)}?cursor=${cursor}`, { who: "admin" });
          assert.ok(status < 500, `${name} ${JSON.stringify(key)}: ${status} ${code}`);
        }
      }
    }
  });

  it("is refused with a code as a name in every body", async () => {
    const bodies = (text: string): readonly (readonly [string, unknown])[] => [
      ["/v1/claims", { for: { host: text, device: text } }],
      ["/v1/claims", { for: { host: text, vm: text }, to: text, exceptHosts: [text] }],
      ["/v1/claims", { for: { profile: { [text]: text } } }],
      ["/v1/candidates", { source: { host: text, device: text } }],
      ["/v1/check", { source: { host: text, device: text }, destination: { host: text, device: text } }],
      ["/v1/adoptions", { host: text, parent: text }],
      ["/v1/adoptions/remove", { host: text, vm: text }],
      ["/v1/enrolments", { host: `${text} ` }],
      ["/v1/probes", { source: { host: text, device: text }, destination: { host: text, device: text } }],
    ];
    for (const text of [
      "__proto__",
      "constructor",
      "\u0000",
      "é💩",
      "../../x",
      "a".repeat(255),
      "a".repeat(5000),
      "",
    ]) {
      for (const [url, body] of bodies(text)) {
        const { status, code } = await ask(url, { method: "POST", who: "admin", body });
        assert.ok(status >= 400 && status < 500, `${url} ${text.slice(0, 20)}: ${status} ${code}`);
      }
    }
  });

  it("is refused with a code where an agent says it", async () => {
    const hello = {
      hello: "berth.hello/v1",
      host: "h1",
      version: "1",
      protocol: { min: 1, max: 1 },
      features: [],
      generation: 1,
    };
    const opened = await ask("/v1/agent/hello", {
      method: "POST",
      who: "agent",
      body: { session: "s1", hello, fence: 0 },
    });
    assert.equal(opened.status, 200, opened.text);
    for (const claim of ["__proto__", "\u0000", "é", "a b", "../x", "a".repeat(255)]) {
      const events = [{ claim, event: "cleared", fence: 0 }];
      const probes = [{ id: claim, outcome: { kind: "accepted" } }];
      const body = { session: "s1", events, notices: [{ claim, reason: { code: "x", text: claim } }], probes };
      const { status, text } = await ask("/v1/agent/events", { method: "POST", who: "agent", body });
      assert.equal(status, 200, `${claim}: ${text}`);
      assert.match(text, /unknown_claim/);
    }
  });

  it("is refused as a key of any body", async () => {
    for (const [name, endpoint] of OPERATIONS) {
      if (endpoint.method !== "POST" || endpoint.body === undefined) continue;
      const who = endpoint.role === "agent" ? "agent" : "admin";
      for (const body of [
        '{"__proto__":{"for":1}}',
        '{"a":{"__proto__":[]}}',
        "[]",
        "null",
        '"x"',
        "1",
        "{",
        '{"for":1,"for":2}',
        "[".repeat(100_000),
      ]) {
        const { status, code } = await ask(urlOf(endpoint), { method: "POST", who, body });
        assert.ok(status >= 400 && status < 500, `${name} ${body.slice(0, 30)}: ${status} ${code}`);
      }
    }
  });
});

describe("another method", () => {
  it("is refused on every path, with those that it takes", async () => {
    for (const [name, endpoint] of OPERATIONS) {
      for (const method of ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"]) {
        const { status } = await ask(urlOf(endpoint), { method, who: "admin" });
        assert.equal(status, 405, `${name} ${method}`);
      }
    }
  });
});

describe("the log", () => {
  it("holds no token, credential or secret, whatever was asked", async () => {
    await ask("/v1/hosts", { who: "admin" });
    const text = served.log.join("\n");
    assert.ok(text.length > 0);
    for (const [who, bearer] of Object.entries(served.bearers)) assert.ok(!text.includes(bearer), who);
  });

  it("tells of no fault of Berth itself", () => {
    assert.deepEqual(
      served.log.filter((line) => line.includes("request failed")),
      [],
    );
  });
});
