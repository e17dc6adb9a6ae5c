// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decideHello, PROTOCOL, type Hello, type HelloAnswer, type ProtocolRange } from "./hello.ts";
import type { HostState } from "./report.ts";

const HELLO: Hello = {
  hello: "berth.hello/v1",
  host: "a",
  version: "0.1.0",
  protocol: { min: 2, max: 3 },
  features: ["delta", "fact-scripts"],
  generation: 5,
};
const KNOWN: HostState = {
  host: "a",
  generation: 5,
  sequence: 9,
  digest: "00",
  inventory: {
    host: "a",
    cut: "nothing",
    sections: {
      host: [],
      parents: [],
      devices: [],
      functions: [],
      modules: [],
      queues: [],
      virtualMachines: [],
      uses: [],
      problems: [],
    },
    more: {},
  },
};

function answer(protocol: ProtocolRange, hello: Partial<Hello> = {}, known?: HostState): HelloAnswer {
  return decideHello({ ...HELLO, ...hello }, { host: "a", protocol, features: ["watch", "delta", "delta"] }, known);
}

describe("decideHello()", () => {
  const VERSIONS: Readonly<Record<string, readonly [ProtocolRange, number | "protocol_unsupported"]>> = {
    "speaks the newest version of both": [{ min: 1, max: 9 }, 3],
    "speaks with a newer agent": [{ min: 1, max: 2 }, 2],
    "speaks with an older agent": [{ min: 3, max: 4 }, 3],
    "refuses an agent that is too old": [{ min: 4, max: 5 }, "protocol_unsupported"],
    "refuses an agent that is too new": [{ min: 1, max: 1 }, "protocol_unsupported"],
  };
  for (const [name, [range, expected]] of Object.entries(VERSIONS)) {
    it(name, () => {
      const answered = answer(range);
      assert.equal(answered.kind === "welcome" ? answered.protocol : answered.code, expected);
    });
  }

  it("offers what both can do, and what is known", () => {
    const known = { generation: 5, sequence: 9, digest: "00" };
    assert.deepEqual(answer({ min: 2, max: 3 }, {}, KNOWN), {
      kind: "welcome",
      protocol: 3,
      features: ["delta"],
      known,
    });
    assert.deepEqual(answer({ min: 2, max: 3 }), { kind: "welcome", protocol: 3, features: ["delta"] });
  });

  it("refuses another host than the credential's", () => {
    const answered = answer({ min: 2, max: 3 }, { host: "b" });
    assert.deepEqual(answered.kind === "refused" && answered.code, "hello_wrong_host");
  });

  it("refuses an older generation than has reported, and takes the same one", () => {
    const answered = answer({ min: 2, max: 3 }, { generation: 4 }, KNOWN);
    assert.deepEqual(answered.kind === "refused" && answered.code, "hello_old_generation");
    assert.equal(answer({ min: 2, max: 3 }, { generation: 5 }, KNOWN).kind, "welcome");
  });

  it("says which versions, in a message without a full stop", () => {
    const answered = answer(PROTOCOL);
    assert.equal(
      answered.kind === "refused" && answered.message,
      "The agent speaks protocols 2 to 3, the server protocol 1",
    );
  });
});
