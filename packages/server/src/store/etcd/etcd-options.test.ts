// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { EtcdOptions } from "./etcd-options.ts";
import { parseEtcdOptions } from "./etcd-options.ts";

const HTTP = "http://127.0.0.1:2379";
const HTTPS = "https://etcd-1:2379";

const REFUSED: Readonly<Record<string, { readonly options: EtcdOptions; readonly text: RegExp }>> = {
  "no endpoint": { options: { endpoints: [] }, text: /at least one endpoint/ },
  "an endpoint without a scheme": { options: { endpoints: ["127.0.0.1:2379"] }, text: /"127\.0\.0\.1:2379"/ },
  "an endpoint with a path": { options: { endpoints: [`${HTTP}/v3`] }, text: /An endpoint is/ },
  "an endpoint with a name and a password": { options: { endpoints: ["http://a:b@c:1"] }, text: /An endpoint is/ },
  "a scheme of another kind": { options: { endpoints: ["ftp://c:1"] }, text: /An endpoint is/ },
  "TLS beside a plain endpoint": { options: { endpoints: [HTTPS, HTTP], tls: { ca: "x" } }, text: /without it/ },
  "a certificate without its key": { options: { endpoints: [HTTPS], tls: { cert: "x" } }, text: /together/ },
  "a key without its certificate": { options: { endpoints: [HTTPS], tls: { key: "x" } }, text: /together/ },
  "a root without its slash": { options: { endpoints: [HTTP], root: "berth" }, text: /"berth"/ },
  "a root with a space": { options: { endpoints: [HTTP], root: "b th/" }, text: /A root is/ },
  "a time that is none": { options: { endpoints: [HTTP], attemptMs: 0 }, text: /not 0/ },
  "a deadline that is none": { options: { endpoints: [HTTP], deadlineMs: Number.NaN }, text: /not NaN/ },
};

describe("parseEtcdOptions() refuses", () => {
  for (const [sentence, { options, text }] of Object.entries(REFUSED)) {
    test(sentence, () => {
      assert.throws(() => parseEtcdOptions(options), { name: "RangeError", message: text });
    });
  }
});

describe("parseEtcdOptions() takes", () => {
  test("endpoints once each, in their order, without the closing slash", () => {
    const { endpoints, space } = parseEtcdOptions({ endpoints: ["http://b:1/", "http://a:1", "http://b:1"] });
    assert.deepEqual(endpoints, ["http://b:1", "http://a:1"]);
    assert.equal(space.root, "berth/1/");
  });
  test("the authorities that Node trusts where none is given", () => {
    assert.deepEqual(parseEtcdOptions({ endpoints: [HTTPS] }).tls, {});
  });
});
