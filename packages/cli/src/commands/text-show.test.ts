// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runWith } from "../test-world.ts";

const GENERATION = { epoch: "e", revision: 3 };

describe("berth text", () => {
  const telling = (text: string | null) => ({
    control: {
      readText: (host: string, path: string) => Promise.resolve({ generation: GENERATION, host, path, text }),
    },
  });

  it("prints a text, its control characters escaped", async () => {
    const ran = await runWith(["text", "a", "/proc/1/x"], telling("one\u001b[2Jtwo"));
    assert.deepEqual(ran.calls, [["readText", "a", "/proc/1/x"]]);
    assert.doesNotMatch(ran.written, /\u001b/);
    assert.match(ran.written, /one.*two/);
    assert.equal(ran.code, 0);
  });

  it("says no where the agent keeps none", async () => {
    const ran = await runWith(["text", "a", "/x", "--json"], telling(null));
    const document = { berth: "text/v1", generation: GENERATION, host: "a", path: "/x", text: null, exitCode: 3 };
    assert.deepEqual([ran.code, JSON.parse(ran.written)], [3, document]);
  });
});
