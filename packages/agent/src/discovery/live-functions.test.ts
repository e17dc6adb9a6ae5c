// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import * as fs from "node:fs";
import { describe, it } from "node:test";

import { valueOf } from "@berth/core/device/evidence";
import { openDirectoryTree } from "../host/directory-tree.ts";
import { readPciFunction, scanPciFunctions } from "./pci-functions.ts";
import { listProblems, startScan } from "./scan.ts";

describe("scanPciFunctions() of this very machine", () => {
  const scan = startScan(openDirectoryTree("/"), "here");
  const found = scanPciFunctions(scan);
  const folder = "/sys/bus/pci/devices";
  const addresses = fs.existsSync(folder) ? fs.readdirSync(folder).sort() : [];

  it("finds the functions of the PCI bus, all of them", () => {
    assert.deepEqual(
      found.map(({ id }) => id as string),
      addresses,
    );
  });

  it("reads the ids, class and place of each as the kernel shows them", () => {
    for (const one of found) {
      const read = readPciFunction(scan, one);
      const show = (name: string): string =>
        fs.readFileSync(`${folder}/${one.id}/${name}`, "utf8").trim().replace("0x", "");
      assert.deepEqual(valueOf(read.ids), {
        vendor: show("vendor"),
        device: show("device"),
        subsystemVendor: show("subsystem_vendor"),
        subsystemDevice: show("subsystem_device"),
      });
      assert.equal(valueOf(read.classCode), show("class"));
      assert.equal(read.path, fs.realpathSync(`${folder}/${one.id}`));
    }
    assert.deepEqual(listProblems(scan), []);
  });
});
