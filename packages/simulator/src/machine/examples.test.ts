// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEMO_DEVICE, DEMO_FLEET } from "./examples.ts";
import { simulateHost, type SimulatedHost } from "./host.ts";

const HOSTS = new Map(DEMO_FLEET.map((spec) => [spec.name, simulateHost(spec)]));
const DSA_TYPES = "/sys/class/mdev_bus/0000:6a:01.0/mdev_supported_types";
const GPU_TYPES = "/sys/class/mdev_bus/0000:00:02.0/mdev_supported_types";

function host(name: string): SimulatedHost {
  const found = HOSTS.get(name);
  assert.ok(found !== undefined, name);
  return found;
}

function read(name: string, path: string): string {
  const answer = host(name).tree.read(path, 4096);
  if (answer.kind === "text") return answer.text.trimEnd();
  return answer.kind === "failed" ? answer.errno : answer.kind;
}

describe("the demo's fleet", () => {
  it("has the device: dsa-1dwq x 4", () => {
    const device = `/sys/bus/mdev/devices/${DEMO_DEVICE.device}`;
    assert.equal(read(DEMO_DEVICE.host, `${device}/aggregator`), "4");
    assert.equal(read(DEMO_DEVICE.host, `${device}/mdev_type/software_version`), "1.5.0");
    assert.equal(read(DEMO_DEVICE.host, `${device}/mdev_type/dynamic_resources`), "aggregator");
  });

  /** Stream version and room for dsa-1dwq, as each accelerator says. */
  const accelerators: Readonly<Record<string, readonly [version: string, room: string]>> = {
    "rack1-n1": ["1.5.0", "20"],
    "rack1-n2": ["1.5.0", "12"],
    "rack1-n3": ["1.6.2", "30"],
    "rack1-n4": ["1.5.3", "3"],
    "rack2-n1": ["1.4.2", "31"],
    "rack2-n2": ["2.0.0", "31"],
    "rack2-n3": ["absent", "32"],
    "rack2-n4": ["absent", "absent"],
    "rack4-n2": ["1.5.0", "EIO"],
  };
  for (const [name, expected] of Object.entries(accelerators)) {
    it(`tells its story on ${name}`, () => {
      const found = ["software_version", "available_instances"].map((file) =>
        read(name, `${DSA_TYPES}/dsa-1dwq/${file}`),
      );
      assert.deepEqual(found, expected);
    });
  }

  it("has one accelerator with dsa-2dwq x 15", () => {
    assert.deepEqual(host("rack2-n4").tree.list(DSA_TYPES), { kind: "names", names: ["dsa-2dwq"] });
    assert.equal(read("rack2-n4", `/sys/bus/mdev/devices/${host("rack2-n4").devices[0]}/aggregator`), "15");
  });

  it("has GVT-g of generation V5 with room and without, and of V4", () => {
    assert.equal(read("rack3-n1", `${GPU_TYPES}/i915-GVTg_V5_4/available_instances`), "2");
    assert.equal(read("rack3-n2", `${GPU_TYPES}/i915-GVTg_V5_8/available_instances`), "0");
    assert.equal(read("rack3-n3", `${GPU_TYPES}/i915-GVTg_V4_4/available_instances`), "3");
  });

  it("has builds of one module per version", () => {
    const build = (name: string) => read(name, "/sys/module/idxd_mdev/srcversion");
    assert.equal(build("rack1-n1"), build("rack1-n2"));
    assert.equal(new Set(["rack1-n1", "rack1-n3", "rack1-n4", "rack2-n1", "rack2-n2", "rack2-n3"].map(build)).size, 6);
    assert.match(build("rack1-n1"), /^[0-9A-F]{23}$/);
  });

  it("has a device without a type on the host with problems", () => {
    const [whole, typeless] = host("rack4-n2").devices;
    const at = (uuid: string | undefined) =>
      host("rack4-n2").tree.resolve(`/sys/bus/mdev/devices/${uuid}/mdev_type`).kind;
    assert.deepEqual([at(whole), at(typeless)], ["path", "absent"]);
  });

  it("gives every host and every device a name of its own", () => {
    assert.equal(HOSTS.size, DEMO_FLEET.length);
    const devices = [...HOSTS.values()].flatMap((each) => each.devices);
    assert.equal(new Set(devices).size, devices.length);
  });
});
