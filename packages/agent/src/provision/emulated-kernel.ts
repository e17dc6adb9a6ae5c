// SPDX-License-Identifier: Apache-2.0

import * as fs from "node:fs";

import { openDirectoryWriter } from "./host-writer.ts";
import type { HostWriter } from "./host-writer.ts";

/** Makes a directory look like a host with the mdev parent `gpu` and its type `t-1`. For tests. */
export function makeEmulatedHost(root: string): void {
  const type = `${root}/sys/class/mdev_bus/gpu/mdev_supported_types/t-1`;
  for (const folder of [`${root}/sys/bus/mdev/devices`, `${type}/devices`, `${root}/staging`, `${root}/gone`]) {
    fs.mkdirSync(folder, { recursive: true });
  }
  const files = { create: "", available_instances: "4\n", device_api: "vfio-pci\n", name: "one\n" };
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(`${type}/${name}`, text);
}

/** The kernel's part of a write to `create`: the device appears whole, or not at all. */
export function emulateCreate(root: string, uuid: string): void {
  const fresh = `${root}/staging/${uuid}`;
  fs.rmSync(fresh, { recursive: true, force: true });
  fs.mkdirSync(fresh);
  fs.writeFileSync(`${fresh}/aggregator`, "1\n");
  fs.writeFileSync(`${fresh}/remove`, "");
  fs.symlinkSync("../../../../class/mdev_bus/gpu/mdev_supported_types/t-1", `${fresh}/mdev_type`);
  fs.renameSync(fresh, `${root}/sys/bus/mdev/devices/${uuid}`);
}

/** The kernel's part of a write to `remove`: the device is gone whole. */
export function emulateRemove(root: string, uuid: string): void {
  fs.rmSync(`${root}/gone/${uuid}`, { recursive: true, force: true });
  fs.renameSync(`${root}/sys/bus/mdev/devices/${uuid}`, `${root}/gone/${uuid}`);
}

/** The live writer on a directory, with the kernel's part played. */
export function openEmulatedWriter(root: string): HostWriter {
  const writer = openDirectoryWriter(root);
  return {
    write: (path, text) => {
      const uuid = path.split("/").at(-2) ?? "";
      if (path.endsWith("/create") && fs.existsSync(`${root}/sys/bus/mdev/devices/${text.trim()}`)) {
        return { kind: "failed", errno: "EEXIST" };
      }
      const written = writer.write(path, text);
      if (written.kind === "failed") return written;
      if (path.endsWith("/create")) emulateCreate(root, text.trim());
      if (path.endsWith("/remove")) emulateRemove(root, uuid);
      return written;
    },
  };
}
