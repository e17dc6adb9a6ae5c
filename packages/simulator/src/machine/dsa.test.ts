// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DsaTypeName } from "./dsa.ts";
import type { FlatAttributes } from "./flat-attributes.ts";
import { simulateHost, type SimulatedHost } from "./host.ts";

const DSA = "0000:6a:01.0";
const UUID = "00000000-0000-4000-8000-000000000001";
const OTHER = "00000000-0000-4000-8000-000000000002";

interface Options {
  readonly types?: readonly DsaTypeName[];
  readonly attributes?: FlatAttributes;
  readonly workQueues?: number;
}

function makeHost(options: Options = {}): SimulatedHost {
  return simulateHost({ name: "h", machines: [{ kind: "dsa", address: DSA, ...options }] });
}

function read(host: SimulatedHost, path: string): string {
  const text = host.tree.read(path, 4096);
  return text.kind === "text" ? text.text : text.kind;
}

const typePath = (type: string, name: string) => `/sys/class/mdev_bus/${DSA}/mdev_supported_types/${type}/${name}`;
const aggregator = (uuid: string) => `/sys/bus/mdev/devices/${uuid}/aggregator`;
const EINVAL = { kind: "failed", errno: "EINVAL" };
const OK = { kind: "written" };

describe("a DSA", () => {
  it("shares its work queues between its types", () => {
    const host = makeHost();
    const rooms = () => ["dsa-1dwq", "dsa-2dwq"].map((type) => read(host, typePath(type, "available_instances")));
    assert.deepEqual(rooms(), ["32\n", "16\n"]);
    host.create(DSA, "dsa-1dwq", UUID);
    assert.deepEqual(rooms(), ["31\n", "15\n"]);
    host.create(DSA, "dsa-2dwq", OTHER);
    assert.deepEqual(rooms(), ["29\n", "14\n"]);
    host.setAttribute(OTHER, "aggregator", "14");
    assert.deepEqual(rooms(), ["3\n", "1\n"]);
    host.remove(OTHER);
    assert.deepEqual(rooms(), ["31\n", "15\n"]);
  });

  it("makes an aggregate of thirty, and no second beside it", () => {
    const host = makeHost();
    host.create(DSA, "dsa-1dwq", UUID);
    assert.deepEqual(host.setAttribute(UUID, "aggregator", "30"), OK);
    host.create(DSA, "dsa-1dwq", OTHER);
    assert.deepEqual(host.setAttribute(OTHER, "aggregator", "2"), OK);
    assert.deepEqual(host.setAttribute(OTHER, "aggregator", "3"), EINVAL);
    assert.equal(read(host, aggregator(OTHER)), "2\n");
    assert.equal(read(host, typePath("dsa-1dwq", "available_instances")), "0\n");
  });

  it("answers ENOSPC when no queue is left", () => {
    const host = makeHost({ workQueues: 1 });
    assert.deepEqual(host.create(DSA, "dsa-2dwq", UUID), { kind: "failed", errno: "ENOSPC" });
    assert.deepEqual(host.create(DSA, "dsa-1dwq", UUID), OK);
    assert.deepEqual(host.create(DSA, "dsa-1dwq", OTHER), { kind: "failed", errno: "ENOSPC" });
  });

  const writes: Readonly<Record<string, readonly [text: string, answer: object, after: string]>> = {
    "takes a number": ["4", OK, "4\n"],
    "takes a hexadecimal number": ["0x4\n", OK, "4\n"],
    "takes an octal number": ["010", OK, "8\n"],
    "takes the number that stands": ["1", OK, "1\n"],
    "takes all there is": ["32", OK, "32\n"],
    "refuses more than there is": ["33", EINVAL, "1\n"],
    "refuses more than a number can be": ["18446744073709551616", EINVAL, "1\n"],
    "refuses a number that is large beyond sense": ["18446744073709551615", EINVAL, "1\n"],
    "refuses 0": ["0", EINVAL, "1\n"],
    "refuses what is no number": ["four", EINVAL, "1\n"],
  };
  for (const [key, [text, answer, after]] of Object.entries(writes)) {
    it(`${key} for its aggregator`, () => {
      const host = makeHost();
      host.create(DSA, "dsa-1dwq", UUID);
      assert.deepEqual(host.tree.write(aggregator(UUID), text), answer);
      assert.equal(read(host, aggregator(UUID)), after);
      assert.equal(read(host, typePath("dsa-1dwq", "available_instances")), `${32 - Number(after)}\n`);
    });
  }

  it("offers only the types that it is told to", () => {
    const types = makeHost({ types: ["2dwq"] }).tree.list(`/sys/class/mdev_bus/${DSA}/mdev_supported_types`);
    assert.deepEqual(types, { kind: "names", names: ["dsa-2dwq"] });
  });

  it("exports the flat attributes, or nothing", () => {
    const attributes: FlatAttributes = {
      softwareVersion: "1.5.0",
      compatibleTypes: ["dsa-1dwq", "dsa-2dwq"],
      compatible: { pci_ids: ["8086:0b25", "8086:11fb"] },
      dynamicResources: ["aggregator", "fps"],
    };
    const host = makeHost({ attributes });
    assert.equal(read(host, typePath("dsa-1dwq", "software_version")), "1.5.0\n");
    assert.equal(read(host, typePath("dsa-1dwq", "compatible_type")), "dsa-1dwq, dsa-2dwq\n");
    assert.equal(read(host, typePath("dsa-1dwq", "compatible_pci_ids")), "8086:0b25, 8086:11fb\n");
    assert.equal(read(host, typePath("dsa-1dwq", "dynamic_resources")), "aggregator, fps\n");
    const bare = makeHost().tree.list(`/sys/class/mdev_bus/${DSA}/mdev_supported_types/dsa-1dwq`);
    const names = ["available_instances", "create", "description", "device_api", "devices", "name"];
    assert.deepEqual(bare, { kind: "names", names });
  });
});
