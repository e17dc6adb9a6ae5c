// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { absent } from "@berth/core/device/evidence";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import type { VirtualMachine } from "@berth/core/device/virtual-machine";
import { testSnapshot } from "@berth/core/placement/test-fleet";
import { BerthError } from "@berth/core/protocol/berth-error";
import { findVm, findVmReference, isDeviceName } from "./vm-reference.ts";

const UUID = "bbbbbbbb-0000-4000-8000-0000000000ab";
const DEVICE = "aaaaaaaa-0000-4000-8000-0000000000ab";

function hostWith(host: string, vms: readonly Pick<VirtualMachine, "name" | "uuid">[]): HostSnapshot {
  const at = { host, source: "sysfs", path: "/proc" } as const;
  const virtualMachines = vms.map((vm): VirtualMachine => {
    const owner = { kind: "unknown", evidence: at } as const;
    const memory = { memoryKib: absent(at), hugepageKib: absent(at) };
    return { ...vm, id: vm.uuid ?? vm.name, state: "running", owner, devices: [], ...memory };
  });
  const devices = [{ id: DEVICE, parent: "p", type: "drv-a" }];
  return { ...testSnapshot({ host, parents: [{ id: "p", types: [] }], devices }), virtualMachines };
}

const HOSTS = [
  hostWith("a", [{ name: "web1", uuid: UUID }, { name: "__proto__" }]),
  hostWith("b", [{ name: "web2" }, { name: "both" }]),
  hostWith("c", [{ name: "both" }, { name: "a:web9" }]),
];

const FOUND: Readonly<Record<string, readonly [text: string, found: string | undefined]>> = {
  "finds a VM by its name": ["web1", "a web1"],
  "finds a VM by its UUID in any case": [UUID.toUpperCase(), "a web1"],
  "finds a VM on a named host": ["c:both", "c both"],
  "finds a name that looks like a host": ["a:web9", "c a:web9"],
  "finds a name that objects have": ["__proto__", "a __proto__"],
  "finds none of another host": ["b:web1", undefined],
  "finds none that is not there": ["constructor", undefined],
};

describe("findVmReference()", () => {
  for (const [name, [text, expected]] of Object.entries(FOUND)) {
    it(name, () => {
      const found = findVmReference(text, HOSTS);
      assert.equal(found && `${found.host} ${found.vm.name}`, expected);
    });
  }

  it("names the hosts of a name that several have", () => {
    assert.throws(
      () => findVmReference("both", HOSTS),
      (error) =>
        error instanceof BerthError && error.code === "ambiguous_vm" && error.expected === "one of b:both, c:both",
    );
  });
});

describe("findVm()", () => {
  it("says which VMs there are", () => {
    assert.throws(
      () => findVm("web3", HOSTS),
      (error) =>
        error instanceof BerthError &&
        error.code === "unknown_vm" &&
        error.expected?.startsWith("one of a:web1,") === true,
    );
  });
});

describe("isDeviceName()", () => {
  it("tells a device, with and without its host", () => {
    const names = [DEVICE, `b:${DEVICE.toUpperCase()}`, `d:${DEVICE}`, "web1"];
    assert.deepEqual(
      names.map((name) => isDeviceName(name, HOSTS)),
      [true, true, false, false],
    );
  });
});
