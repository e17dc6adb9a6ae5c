// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { toBytes } from "./etcd-key.ts";
import { schemaOf } from "./etcd-messages.ts";
import * as methods from "./etcd-methods.ts";

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

// Bytes as the wire format of protocol buffers gives them: a tag is the field's number times eight and the kind.
describe("schemaOf() codes", () => {
  test("a range request", () => {
    const message = create(schemaOf("RangeRequest"), { key: toBytes("a"), rangeEnd: toBytes("b"), limit: 3n });
    assert.equal(hex(toBinary(schemaOf("RangeRequest"), message)), "0a0161" + "120162" + "1803");
  });
  test("a compare with nothing, whose zero is sent", () => {
    const compare = { result: 0, target: 1, key: toBytes("a"), createRevision: 0n };
    const message = create(schemaOf("Compare"), compare);
    assert.equal(hex(toBinary(schemaOf("Compare"), message)), "0800" + "1001" + "1a0161" + "2800");
  });
  test("a transaction with each kind of operation", () => {
    const message = create(schemaOf("TxnRequest"), {
      compare: [{ target: 2, key: toBytes("k"), modRevision: 5n }],
      success: [{ put: { key: toBytes("k"), value: toBytes("v"), lease: 7n } }, { deleteRange: { key: toBytes("d") } }],
      failure: [{ range: { key: toBytes("k") } }, { txn: {} }],
    });
    const compare = "0a07" + "1002" + "1a016b" + "3005";
    const put = "120a" + "1208" + "0a016b" + "120176" + "1807";
    const deleted = "1205" + "1a03" + "0a0164";
    const read = "1a05" + "0a03" + "0a016b";
    const nested = "1a02" + "2200";
    assert.equal(hex(toBinary(schemaOf("TxnRequest"), message)), compare + put + deleted + read + nested);
  });
  test("a watch's creation, without fragments", () => {
    const message = create(schemaOf("WatchRequest"), {
      create: { key: toBytes("a"), rangeEnd: toBytes("b"), startRevision: 9n, progressNotify: true },
    });
    assert.equal(hex(toBinary(schemaOf("WatchRequest"), message)), "0a0a" + "0a0161" + "120162" + "1809" + "2001");
  });
});

describe("schemaOf() reads", () => {
  test("an answer, and passes over fields of newer versions", () => {
    const kv = "0a016b" + "1002" + "1803" + "2001" + "2a0176";
    const answer = Buffer.from("0a04" + "0801" + "1805" + "120c" + kv + "1801" + "2001" + "f87f01", "hex");
    const { header, kvs, more } = fromBinary(schemaOf("RangeResponse"), answer);
    assert.deepEqual([header?.clusterId, header?.revision, header?.memberId, more], [1n, 5n, 0n, true]);
    const [first] = kvs;
    assert.deepEqual(
      [first?.key, first?.createRevision, first?.modRevision, first?.value].map((one) =>
        one instanceof Uint8Array ? hex(one) : one,
      ),
      ["6b", 2n, 3n, "76"],
    );
  });
  test("events of a watch at field 11", () => {
    const event = "5a09" + "0801" + "1205" + "0a016b" + "1808";
    const answer = fromBinary(schemaOf("WatchResponse"), Buffer.from("2001" + "2806" + event, "hex"));
    assert.deepEqual([answer.canceled, answer.compactRevision, answer.created], [true, 6n, false]);
    assert.deepEqual([answer.events[0]?.type, answer.events[0]?.kv?.modRevision], [1, 8n]);
  });
  test("P1: what was written, whatever it is", () => {
    const bytes = fc.uint8Array({ maxLength: 40 }).map((one) => Uint8Array.from(one));
    const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    const kv = fc.record({ key: bytes, value: bytes, createRevision: int64, modRevision: int64, lease: int64 });
    fc.assert(
      fc.property(fc.array(kv, { maxLength: 5 }), fc.boolean(), int64, (kvs, more, count) => {
        const schema = schemaOf("RangeResponse");
        const message = create(schema, { kvs, more, count });
        assert.deepEqual(fromBinary(schema, toBinary(schema, message)), message);
      }),
    );
  });
});

describe("the methods", () => {
  test("have the names that etcd serves", () => {
    const paths = Object.values(methods).map((one) => `/${one.parent.typeName}/${one.name} ${one.methodKind}`);
    assert.deepEqual(paths.toSorted(), [
      "/etcdserverpb.KV/Compact unary",
      "/etcdserverpb.KV/Range unary",
      "/etcdserverpb.KV/Txn unary",
      "/etcdserverpb.Lease/LeaseGrant unary",
      "/etcdserverpb.Lease/LeaseKeepAlive bidi_streaming",
      "/etcdserverpb.Lease/LeaseRevoke unary",
      "/etcdserverpb.Maintenance/Status unary",
      "/etcdserverpb.Watch/Watch bidi_streaming",
    ]);
  });
});
