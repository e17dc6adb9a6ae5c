// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { formatStreamEvent, HEARTBEAT } from "@berth/core/protocol/api/event-stream";
import { runWith, type Ran } from "../test-world.ts";
import { openServer } from "./server-link.ts";

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A server that answers one request after the other, and what each brought. */
interface Scripted {
  readonly url: string;
  readonly lastIds: readonly (string | undefined)[];
  readonly close: () => void;
}

async function serve(answers: readonly Answer[]): Promise<Scripted> {
  const lastIds: (string | undefined)[] = [];
  const server: Server = createServer((request, response) => {
    const answer = answers[lastIds.length] ?? refuse(403, "not_allowed");
    lastIds.push(request.headers["last-event-id"] as string | undefined);
    answer(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    lastIds,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function event(kind: string, revision: number, ...changes: readonly object[]): string {
  const generation = { epoch: "e", revision };
  return formatStreamEvent({ id: `e:${revision}`, event: kind, data: { generation, changes } });
}

/** Streams texts and ends, or breaks the connection, or leaves it open. */
function stream(texts: readonly string[], end: "ends" | "breaks" | "stays"): Answer {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const text of texts) response.write(text);
    if (end === "ends") response.end();
    if (end === "breaks") setImmediate(() => setTimeout(() => response.destroy(), 20));
  };
}

function refuse(status: number, code: string): Answer {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify({ code, message: "Refused here", place: null, expected: null, details: [] }));
  };
}

async function run(args: readonly string[], answers: readonly Answer[]): Promise<Ran & Pick<Scripted, "lastIds">> {
  const server = await serve(answers);
  try {
    const ran = await runWith(["events", ...args, "--server", server.url], {}, { openServer });
    return { ...ran, lastIds: server.lastIds };
  } finally {
    server.close();
  }
}

const PUT = { kind: "host-put", host: "a" };
const CLAIM = { kind: "claim-changed", host: "b", claim: "c1", state: "bound" };

describe("berth events --follow", () => {
  it("goes on after the last event where a connection ended or broke, waits longer each time, and ends at a refusal", async () => {
    const changes = event("changes", 19, PUT, CLAIM);
    const ran = await run(
      ["--follow"],
      [
        stream([event("hello", 18)], "ends"),
        refuse(503, "too_many_streams"),
        refuse(503, "store_unavailable"),
        // An event in pieces, cut in the middle.
        stream([HEARTBEAT, changes.slice(0, 9), changes.slice(9), "id: e:20\nevent: cha"], "breaks"),
        stream([event("reset", 40)], "ends"),
        refuse(403, "not_allowed"),
      ],
    );
    assert.equal(
      ran.written,
      [
        "e:18  now",
        "e:19  host-put  a",
        "e:19  claim-changed  b  c1  bound",
        "e:40  RESET  what was missed is not kept: read everything again",
        "",
      ].join("\n"),
    );
    assert.deepEqual(ran.lastIds, [undefined, "e:18", "e:18", "e:18", "e:19", "e:40"]);
    assert.deepEqual(ran.waits, [500, 1000, 2000, 500, 500]);
    assert.match(ran.complaint, /^berth: the connection broke: the server ended it; again in 0\.5 s\n/);
    assert.match(ran.complaint, /berth: not_allowed: Refused here\n$/);
    assert.equal(ran.code, 1);
  });

  it("never waits longer than half a minute", async () => {
    const ran = await run(
      ["--follow"],
      Array.from({ length: 9 }, () => refuse(503, "not_ready")),
    );
    assert.deepEqual(ran.waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  it("begins after --since, and writes a JSON document a line with --json", async () => {
    const ran = await run(["--follow", "--json", "--since", "e:4"], [stream([event("changes", 5, PUT)], "ends")]);
    assert.deepEqual(ran.lastIds, ["e:4", "e:5"]);
    const document = { berth: "event/v1", event: "changes", generation: { epoch: "e", revision: 5 }, changes: [PUT] };
    assert.equal(ran.written, `${JSON.stringify(document)}\n`);
  });

  it("ends at an event that is none", async () => {
    const ran = await run(["--follow"], [stream(["id: e:1\ndata: {}\n\n"], "stays")]);
    assert.match(ran.complaint, /^berth: server_answer_malformed: An event is none of this API/);
  });
});

describe("berth events", () => {
  it("tells where it stands now", async () => {
    const ran = await run([], [stream([event("hello", 18)], "stays")]);
    assert.deepEqual([ran.code, ran.written], [0, "e:18  now\n"]);
  });

  it("tells what was missed up to now, and ends", async () => {
    const ran = await run(
      ["--since", "e:16"],
      [
        stream([event("hello", 18)], "stays"),
        stream([event("changes", 17, PUT), event("changes", 18, CLAIM), event("changes", 19, PUT)], "stays"),
      ],
    );
    assert.deepEqual([ran.code, ran.written], [0, "e:17  host-put  a\ne:18  claim-changed  b  c1  bound\n"]);
    assert.deepEqual(ran.lastIds, [undefined, "e:16"]);
  });

  it("ends at a quiet stream where the last revisions changed nothing that is told", async () => {
    const ran = await run(
      ["--since", "e:16"],
      [
        stream([event("hello", 18)], "stays"),
        (response) => {
          response.writeHead(200);
          response.write(event("changes", 17, PUT));
          setTimeout(() => response.write(HEARTBEAT), 20);
        },
      ],
    );
    assert.deepEqual([ran.code, ran.written], [0, "e:17  host-put  a\n"]);
  });

  it("ends at a reset, and asks nothing further where nothing was missed", async () => {
    const reset = await run(
      ["--since", "old:16"],
      [stream([event("hello", 18)], "stays"), stream([event("reset", 18)], "stays")],
    );
    assert.match(reset.written, /^e:18 {2}RESET {2}/);
    const nothing = await run(["--since", "e:18"], [stream([event("hello", 18)], "stays")]);
    assert.deepEqual([nothing.code, nothing.written, nothing.lastIds.length], [0, "", 1]);
  });

  it("refuses a --since that is none before it asks", async () => {
    const ran = await run(["--since", "18"], []);
    assert.deepEqual([ran.code, ran.lastIds], [2, []]);
    assert.match(ran.complaint, /^berth: usage_bad_value: Cannot read --since "18"/);
  });

  it("says what to start where nobody answers", async () => {
    const ran = await runWith(["events", "--server", "http://127.0.0.1:1"], {}, { openServer });
    assert.equal(ran.code, 1);
    assert.match(ran.complaint, /^berth: server_unreachable: Cannot reach http:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/);
    assert.match(ran.complaint, /berth server or berth demo starts one; --host NAME=ROOT and --demo need none\n$/);
  });
});
