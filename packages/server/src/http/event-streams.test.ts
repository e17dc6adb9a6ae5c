// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import { describe, it } from "node:test";
import { parseStreamText, type StreamEvent } from "@berth/core/protocol/api/event-stream";
import { testSnapshot } from "@berth/core/placement/test-fleet";
import { EventStreams, STREAM_LIMITS } from "./event-streams.ts";
import { testServer, testView, troubledSnapshot } from "./test-server.ts";

/** What can be read of a stream now; nothing is waited for. */
function readNow(stream: Readable): readonly StreamEvent[] {
  let text = "";
  for (let chunk = readChunk(stream); chunk !== null; chunk = readChunk(stream)) text += chunk.toString();
  return parseStreamText(text).events;
}

function readChunk(stream: Readable): Buffer | null {
  return stream.read() as Buffer | null;
}

function brief(events: readonly StreamEvent[]): readonly (readonly [string, string | undefined])[] {
  return events.map(({ event, id }) => [event, id]);
}

describe("EventStreams", () => {
  it("tells where it begins, then one message a revision", () => {
    const view = testView();
    const streams = new EventStreams(view.feed);
    const stream = streams.open(undefined);
    view.cordonHost("b");
    view.cordonHost("b");
    view.putSnapshot(testSnapshot({ host: "z", parents: [] }));
    view.putSnapshot(testSnapshot({ host: "z", parents: [] }));
    view.removeHost("z");
    view.removeHost("z");
    const events = readNow(stream);
    assert.deepEqual(brief(events), [
      ["hello", "test:5"],
      ["changes", "test:6"],
      ["changes", "test:7"],
      ["changes", "test:8"],
    ]);
    assert.deepEqual(JSON.parse(events[1]?.data ?? ""), {
      generation: { epoch: "test", revision: 6 },
      changes: [{ kind: "host-cordoned", host: "b" }],
    });
    streams.close();
  });

  it("goes on after the last event that was seen", () => {
    const view = testView();
    const streams = new EventStreams(view.feed);
    view.cordonHost("b");
    view.cordonHost("c");
    assert.deepEqual(brief(readNow(streams.open("test:6"))), [["changes", "test:7"]]);
    const upToDate = streams.open("test:7");
    assert.deepEqual(readNow(upToDate), []);
    view.cordonHost("d");
    assert.deepEqual(brief(readNow(upToDate)), [["changes", "test:8"]]);
    streams.close();
  });

  const RESETS = {
    "of another epoch": "other:6",
    "of the future": "test:99",
    "longer ago than what is kept": "test:3",
  };
  for (const [name, id] of Object.entries(RESETS)) {
    it(`says reset to an id ${name}`, () => {
      const view = testView(2);
      const streams = new EventStreams(view.feed);
      view.cordonHost("b");
      assert.deepEqual(brief(readNow(streams.open(id))), [["reset", "test:6"]]);
      assert.deepEqual(brief(readNow(streams.open("test:4"))), [
        ["changes", "test:5"],
        ["changes", "test:6"],
      ]);
      streams.close();
    });
  }

  it("ends the stream of a reader that does not read, and no other", async () => {
    const view = testView();
    const streams = new EventStreams(view.feed, { ...STREAM_LIMITS, waitingBytes: 400 });
    const slow = streams.open(undefined);
    const fast = streams.open(undefined);
    for (let at = 0; at < 20; at += 1) {
      view.cordonHost(`x${at}`);
      readNow(fast);
    }
    await once(slow, "close");
    assert.deepEqual([slow.destroyed, fast.destroyed, streams.size], [true, false, 1]);
    streams.close();
  });

  it("refuses one stream too many, and takes one again when another has ended", async () => {
    const view = testView();
    const streams = new EventStreams(view.feed, { ...STREAM_LIMITS, streams: 1 });
    const first = streams.open(undefined);
    assert.throws(() => streams.open(undefined), { code: "too_many_streams" });
    first.destroy();
    await once(first, "close");
    streams.open(undefined);
    assert.equal(streams.size, 1);
    streams.close();
  });

  it("refuses an id that is none", () => {
    const streams = new EventStreams(testView().feed);
    for (const id of ["6", "test:", "test:-1", "test:1:2", "test:01", "a b:1"]) {
      assert.throws(() => streams.open(id), { code: "cursor_malformed" }, id);
    }
    assert.equal(streams.size, 0);
  });
});

describe("a server on loopback", () => {
  it("streams over a real socket, resumes, and ends its streams when it closes", async () => {
    const view = testView();
    const server = testServer(view);
    await server.listen({ host: "127.0.0.1", port: 0 });
    const { port } = server.server.address() as AddressInfo;
    view.cordonHost("b");
    const call = request({ port, path: "/v1/events", headers: { "last-event-id": "test:5" } });
    call.end();
    const [answer] = (await once(call, "response")) as [Readable & { readonly headers: Record<string, string> }];
    assert.match(answer.headers["content-type"] ?? "", /^text\/event-stream/);
    const read = async (): Promise<readonly StreamEvent[]> => {
      const [chunk] = (await once(answer, "data")) as [Buffer];
      return parseStreamText(chunk.toString()).events;
    };
    assert.deepEqual(brief(await read()), [["changes", "test:6"]]);
    const next = read();
    view.putSnapshot(troubledSnapshot("f"));
    assert.deepEqual(brief(await next), [["changes", "test:7"]]);
    const ended = once(answer, "end");
    answer.resume();
    await server.close();
    await ended;
  });

  it("answers header fields that are too large and what is no HTTP with coded errors", async () => {
    const server = testServer(testView());
    await server.listen({ host: "127.0.0.1", port: 0 });
    const { port } = server.server.address() as AddressInfo;
    const call = request({ port, path: "/healthz", headers: { "x-large": "a".repeat(20_000) } });
    call.end();
    const [answer] = (await once(call, "response")) as [Readable & { readonly statusCode: number }];
    const body = await answer.toArray();
    assert.equal(answer.statusCode, 431);
    assert.equal((JSON.parse(Buffer.concat(body).toString()) as { code: string }).code, "header_fields_too_large");
    await server.close();
  });
});
