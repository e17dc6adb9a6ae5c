// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { BerthError } from "../berth-error.ts";
import { formatErrorAnswer, parseErrorAnswer } from "./api-error.ts";
import { formatTarget, makeClient, readAllPages, type ApiRequest, type ApiResponse } from "./client.ts";
import { ENDPOINTS } from "./endpoints.ts";
import { formatStreamEvent, HEARTBEAT, parseEventId, parseStreamText } from "./event-stream.ts";

/** A transport that answers one thing and notes what it was asked. */
function transport(answer: ApiResponse): { asked: ApiRequest[]; send: (request: ApiRequest) => Promise<ApiResponse> } {
  const asked: ApiRequest[] = [];
  return {
    asked,
    send: async (request) => {
      asked.push(request);
      return answer;
    },
  };
}

describe("makeClient()", () => {
  it("sends the token, the body and its type, and nothing that is not there", async () => {
    const { asked, send } = transport({ status: 503, body: "" });
    const client = makeClient(send, { token: "t" });
    await assert.rejects(client.findCandidates({ source: { host: "a", device: "b" } }));
    await assert.rejects(makeClient(send).listDevices({ host: "a b", limit: 2 }));
    assert.deepEqual(asked, [
      {
        method: "POST",
        path: "/v1/candidates",
        headers: { accept: "application/json", "content-type": "application/json", authorization: "Bearer t" },
        body: '{"source":{"host":"a","device":"b"}}',
      },
      { method: "GET", path: "/v1/devices?host=a%20b&limit=2", headers: { accept: "application/json" } },
    ]);
  });

  const MALFORMED: Record<string, ApiResponse> = {
    "a page of a proxy": { status: 502, body: "<html>" },
    "an error of another shape": { status: 404, body: '{"error":"x"}' },
    "an unknown code": { status: 404, body: '{"code":"toString","message":"x","details":[]}' },
    "success without JSON": { status: 200, body: "ok" },
    "success that is no object": { status: 200, body: "null" },
    "success of another shape": { status: 200, body: '{"generation":{"epoch":"e","revision":1},"items":[{}]}' },
  };
  for (const [name, answer] of Object.entries(MALFORMED)) {
    it(`tells ${name} from an answer`, async () => {
      const client = makeClient(transport(answer).send);
      await assert.rejects(client.listHosts(), { code: "server_answer_malformed", place: "GET /v1/hosts" });
    });
  }
});

describe("readAllPages()", () => {
  it("ends with a server that never does", async () => {
    const generation = { epoch: "e", revision: 1 };
    const endless = async (): Promise<{ generation: typeof generation; items: string[]; next: string }> => {
      return { generation, items: [], next: "x" };
    };
    await assert.rejects(readAllPages(endless), { code: "server_answer_malformed" });
  });
});

describe("formatTarget()", () => {
  it("T1: no name, whatever it holds, leaves its place in the path", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (host, id) => {
        const target = formatTarget(ENDPOINTS.readDevice, { path: { host, id } });
        const [, version, devices, ...rest] = target.split("/");
        assert.deepEqual([version, devices, rest.length], ["v1", "devices", 2]);
        assert.deepEqual(rest.map(decodeURIComponent), [host.toWellFormed(), id.toWellFormed()]);
      }),
    );
  });
});

describe("parseErrorAnswer()", () => {
  it("reads back what formatErrorAnswer() writes", () => {
    const error = new BerthError("unknown_host", "No such host", { place: "/x", expected: "y", details: ["z"] });
    const answer: unknown = JSON.parse(JSON.stringify(formatErrorAnswer(error)));
    const read = parseErrorAnswer(answer, { status: 404, place: "GET /" });
    assert.deepEqual(formatErrorAnswer(read), formatErrorAnswer(error));
  });
});

describe("parseStreamText()", () => {
  it("S1: reads the events that were written, wherever the text is cut", () => {
    const event = fc.record({
      id: fc.nat().map((revision) => `e:${revision}`),
      event: fc.constantFrom("changes", "reset"),
      data: fc.record({ text: fc.string({ unit: "binary" }) }),
    });
    fc.assert(
      fc.property(fc.array(event), fc.nat(), (events, cut) => {
        const text = events.map((one) => formatStreamEvent(one) + HEARTBEAT).join("");
        const at = cut % (text.length + 1);
        const first = parseStreamText(text.slice(0, at));
        const second = parseStreamText(first.rest + text.slice(at));
        const read = [...first.events, ...second.events];
        assert.deepEqual(
          read,
          events.map(({ id, event: kind, data }) => ({ id, event: kind, data: JSON.stringify(data) })),
        );
        assert.equal(second.rest, "");
        for (const { id } of read) assert.equal(parseEventId(id ?? "").epoch, "e");
      }),
    );
  });
});
