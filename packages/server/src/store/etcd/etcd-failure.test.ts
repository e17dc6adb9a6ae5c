// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BerthError } from "@berth/core/protocol/berth-error";
import { Code, ConnectError } from "@connectrpc/connect";
import { noAnswer, parseFailure } from "./etcd-failure.ts";

/** What is made of each failure: `unknown`, or the code or name of the error. */
const FAILURES: Readonly<Record<string, readonly [unknown, string]>> = {
  "a dead member": [new ConnectError("connect ECONNREFUSED", Code.Unavailable), "unknown"],
  "a member without a leader": [new ConnectError("etcdserver: no leader", Code.Unavailable), "unknown"],
  "a time that ran out": [new ConnectError("deadline", Code.DeadlineExceeded), "unknown"],
  "a broken stream": [new ConnectError("http/2 stream closed", Code.Internal), "unknown"],
  "a connection that was reset": [new ConnectError("read ECONNRESET", Code.Aborted), "unknown"],
  "a call that was cut off": [new ConnectError("canceled", Code.Canceled), "unknown"],
  "too many requests": [new ConnectError("etcdserver: too many requests", Code.ResourceExhausted), "unknown"],
  "a lease that has ended": [
    new ConnectError("etcdserver: requested lease not found", Code.NotFound),
    "store_lease_ended",
  ],
  "a full disk": [new ConnectError("etcdserver: mvcc: database space exceeded", Code.ResourceExhausted), "store_full"],
  "a compacted revision": [
    new ConnectError("etcdserver: mvcc: required revision has been compacted", Code.OutOfRange),
    "RangeError",
  ],
  "a request that is too large": [
    new ConnectError("trying to send message larger than max", Code.ResourceExhausted),
    "RangeError",
  ],
  "a user without rights": [new ConnectError("permission denied", Code.PermissionDenied), "store_unavailable"],
  "a mistake of ours": [new TypeError("x is undefined"), "TypeError"],
};

describe("parseFailure() tells what is known after", () => {
  for (const [sentence, [error, expected]] of Object.entries(FAILURES)) {
    test(sentence, () => {
      const failure = parseFailure(error);
      if (failure.kind === "unknown") assert.equal("unknown", expected);
      else assert.equal(failure.error instanceof BerthError ? failure.error.code : failure.error.name, expected);
    });
  }
});

describe("noAnswer()", () => {
  test("says the innermost reason, and who was asked", () => {
    const inner = new Error("self-signed certificate");
    const error = noAnswer(["https://a:1"], new ConnectError("outer", Code.Internal, undefined, undefined, inner));
    assert.equal(error.message, "No etcd member answered, the last one said: self-signed certificate");
    assert.deepEqual([error.code, error.details], ["store_unavailable", ["https://a:1"]]);
  });
});
