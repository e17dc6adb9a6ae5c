// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { blocksOf, findAgentNode, startHouse, type House } from "./pack-house.ts";

const PARENTS = 256;
const TYPES = 20;
const RESCAN_S = 4;
/** The least that is taken in a window is what is taken between looks. */
const WINDOWS = 6;
const WINDOW_LOOKS = 2;
/** What an idle agent may take with so many parents. */
const IDLE_MAX_KB = 80 * 1024;
/** What it may take while it looks. */
const PEAK_MAX_KB = 110 * 1024;
/** Between the first and the last looks; what is kept of each look would be more. */
const GROWTH_MAX_KB = 3 * 1024;

/** Writes a host of PCI functions that are mdev parents. */
function writeHost(root: string): void {
  for (const place of ["sys/class/mdev_bus", "sys/bus/pci/devices", "sys/bus/mdev/devices"])
    mkdirSync(join(root, place), { recursive: true });
  for (let number = 0; number < PARENTS; number += 1) {
    const hex = (value: number): string => value.toString(16).padStart(2, "0");
    const address = `0000:${hex(16 + (number >> 5))}:${hex((number >> 3) & 3)}.${number & 7}`;
    const path = `sys/devices/pci0000:00/${address}`;
    const ids = { vendor: "0x10de", device: "0x25b6", class: "0x030200", revision: "0xa1", numa_node: "0" };
    mkdirSync(join(root, path), { recursive: true });
    for (const [name, text] of Object.entries(ids)) writeFileSync(join(root, path, name), `${text}\n`);
    for (const place of ["class/mdev_bus", "bus/pci/devices"])
      symlinkSync(`${place.includes("pci") ? "../" : ""}../../${path.slice(4)}`, join(root, "sys", place, address));
    for (let type = 0; type < TYPES; type += 1)
      writeType(join(root, path, `mdev_supported_types/nvidia-${700 + type}`), type);
  }
}

function writeType(path: string, type: number): void {
  mkdirSync(join(path, "devices"), { recursive: true });
  const files = {
    name: `NVIDIA A2-${type}Q`,
    device_api: "vfio-pci",
    available_instances: "4",
    description: `num_heads=4, frl_config=60, framebuffer=${type + 1}024M, max_resolution=5120x2880, max_instance=16`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), `${text}\n`);
}

function rssOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

describe("the packed agent on a host with 256 parents of 20 types", () => {
  let house: House;
  before(async () => {
    house = await startHouse(findAgentNode());
    for (const block of blocksOf("Pack and install").slice(1)) house.shell(block, { cwd: house.packed });
    writeHost(house.tree);
  });
  after(() => house.close());

  it("takes no more than 80 MB between looks, and no more after many of them", async (test) => {
    const server = await house.start(["berth", "server", "--listen", "127.0.0.1:0"], /http:\/\/\S+/);
    const url = /http:\/\/[\d.:]+/.exec(server.output())?.[0] ?? "";
    const enrol = `BERTH_SERVER=${url} BERTH_TOKEN_FILE=$BERTH_DATA/admin.token berth agents enrol node1`;
    const token = /berth1\.[\w-]+\.-/.exec(house.shell(enrol))?.[0] ?? "";
    house.shell(`BERTH_AGENT_TOKEN=${token} berth-agent enrol --server ${url} --name node1`);
    const agent = await house.start(["berth-agent", "run", "--rescan", String(RESCAN_S)], /Welcome/);
    await sleep(RESCAN_S * 1000);
    const windows: number[][] = [];
    for (let window = 0; window < WINDOWS; window += 1) {
      const samples: number[] = [];
      const end = Date.now() + WINDOW_LOOKS * RESCAN_S * 1000;
      for (; Date.now() < end; await sleep(100)) samples.push(rssOf(agent.pid));
      windows.push(samples);
    }
    const rests = windows.map((samples) => Math.min(...samples));
    const idle = Math.max(...rests);
    const peak = Math.max(...windows.flat());
    test.diagnostic(`between looks ${rests.join(", ")} kB, most ${peak} kB`);
    const growth = (rests.at(-1) ?? 0) - (rests[0] ?? 0);
    assert.ok(idle <= IDLE_MAX_KB, `${idle} kB between looks`);
    assert.ok(peak <= PEAK_MAX_KB, `${peak} kB while it looks`);
    assert.ok(growth <= GROWTH_MAX_KB, `${growth} kB more at the end`);
    await agent.stop();
    await server.stop();
  });
});
