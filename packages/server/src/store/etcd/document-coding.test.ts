// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { parseEvents, parseKeyValue, parseRevision } from "./document-coding.ts";
import { formatKey, parseRoot, toBytes } from "./etcd-key.ts";
import type { EtcdMessage } from "./etcd-messages.ts";
import { schemaOf } from "./etcd-messages.ts";

const SPACE = parseRoot("berth/1/");
const READING = { space: SPACE, epoch: "e", after: 0 };

function put(key: string, revision: number, value = "1"): EtcdMessage<"Event"> {
  const modRevision = BigInt(revision);
  const kv = { key: formatKey(SPACE, key), value: toBytes(value), modRevision, createRevision: 2n };
  return create(schemaOf("Event"), { type: 0, kv });
}

function deleted(key: string, revision: number): EtcdMessage<"Event"> {
  return create(schemaOf("Event"), { type: 1, kv: { key: formatKey(SPACE, key), modRevision: BigInt(revision) } });
}

describe("parseEvents()", () => {
  test("makes one message of each revision, in order, its changes sorted by key", () => {
    const messages = parseEvents(READING, [put("b", 5), deleted("a", 5), put("c", 6, "\u00e4"), put("a", 7)]);
    assert.deepEqual(messages, [
      {
        kind: "changes",
        cursor: { epoch: "e", revision: 5 },
        changes: [
          { kind: "delete", key: "a", revision: 5 },
          { kind: "put", document: { key: "b", value: "1", revision: 5, created: 2 } },
        ],
      },
      {
        kind: "changes",
        cursor: { epoch: "e", revision: 6 },
        changes: [{ kind: "put", document: { key: "c", value: "\u00e4", revision: 6, created: 2 } }],
      },
      {
        kind: "changes",
        cursor: { epoch: "e", revision: 7 },
        changes: [{ kind: "put", document: { key: "a", value: "1", revision: 7, created: 2 } }],
      },
    ]);
  });
  test("passes over what is known already", () => {
    const messages = parseEvents({ ...READING, after: 6 }, [put("a", 5), put("a", 6), put("a", 7)]);
    assert.deepEqual(
      messages.map(({ cursor }) => cursor.revision),
      [7],
    );
  });
  test("makes nothing of nothing", () => {
    assert.deepEqual(parseEvents(READING, []), []);
  });
});

describe("parseKeyValue()", () => {
  test("takes no key of another place for a document", () => {
    const kv = create(schemaOf("KeyValue"), { key: toBytes("other/d/a") });
    assert.throws(() => parseKeyValue(SPACE, kv), RangeError);
  });
});

describe("parseRevision()", () => {
  test("takes what a number holds exactly, and nothing else", () => {
    assert.equal(parseRevision(2n ** 53n - 1n), Number.MAX_SAFE_INTEGER);
    assert.throws(() => parseRevision(2n ** 53n), RangeError);
    assert.throws(() => parseRevision(-1n), RangeError);
  });
});
