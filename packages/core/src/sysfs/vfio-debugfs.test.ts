// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MIGRATION_STATES, parseMigrationFeatures, parseMigrationState } from "./vfio-debugfs.ts";

describe("parseMigrationFeatures()", () => {
  it("answers each word by itself", () => {
    const none = { stopCopy: false, p2p: false, preCopy: false, dirtyTracking: false };
    assert.deepEqual(parseMigrationFeatures("stop-copy\n"), { ...none, stopCopy: true });
    assert.deepEqual(parseMigrationFeatures("p2p\n"), { ...none, p2p: true });
    assert.deepEqual(parseMigrationFeatures("pre-copy\n"), { ...none, preCopy: true });
    assert.deepEqual(parseMigrationFeatures("dirty-tracking\n"), { ...none, dirtyTracking: true });
  });

  it("takes a text of unknown words for unreadable, not for a no", () => {
    assert.throws(() => parseMigrationFeatures("stop_copy\n"), { message: /expected stop-copy, p2p/ });
  });
});

describe("parseMigrationState()", () => {
  it("reads the eight words of the kernel", () => {
    assert.equal(MIGRATION_STATES.length, 8);
    for (const state of MIGRATION_STATES) assert.equal(parseMigrationState(`${state}\n`), state);
  });
});
