// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { simulateHost, type SimulatedHost } from "./host.ts";

function makeHost(): SimulatedHost {
  return simulateHost({ name: "h", machines: [{ kind: "mtty" }] });
}

function uuid(counter: number): string {
  return `00000000-0000-4000-8000-${String(counter).padStart(12, "0")}`;
}

function listRoom(host: SimulatedHost): string[] {
  return ["mtty-1", "mtty-2"].map((type) => {
    const read = host.tree.read(`/sys/class/mdev_bus/mtty/mdev_supported_types/${type}/available_instances`, 16);
    return read.kind === "text" ? read.text.trimEnd() : read.kind;
  });
}

const ENOSPC = { kind: "failed", errno: "ENOSPC" };

describe("mtty", () => {
  it("has 24 ports, and after one mtty-2 room for 22 or 11, as Linux 6.12 shows", () => {
    const host = makeHost();
    assert.deepEqual(listRoom(host), ["24", "12"]);
    host.create("mtty", "mtty-2", uuid(1));
    assert.deepEqual(listRoom(host), ["22", "11"]);
  });

  it("answers ENOSPC at the 25th port, and to a pair when one is left", () => {
    const host = makeHost();
    for (let n = 1; n <= 23; n += 1) assert.equal(host.create("mtty", "mtty-1", uuid(n)).kind, "written");
    assert.deepEqual(listRoom(host), ["1", "0"]);
    assert.deepEqual(host.create("mtty", "mtty-2", uuid(24)), ENOSPC);
    assert.equal(host.create("mtty", "mtty-1", uuid(24)).kind, "written");
    assert.deepEqual(host.create("mtty", "mtty-1", uuid(25)), ENOSPC);
  });

  it("has no description", () => {
    const types = makeHost().tree.list("/sys/class/mdev_bus/mtty/mdev_supported_types/mtty-1");
    const names = ["available_instances", "create", "device_api", "devices", "name"];
    assert.deepEqual(types, { kind: "names", names });
  });
});
