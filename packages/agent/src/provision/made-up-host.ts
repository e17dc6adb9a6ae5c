// SPDX-License-Identifier: Apache-2.0

import { openMemoryTree } from "../host/memory-tree.ts";
import type { MemoryEntry } from "../host/memory-tree.ts";
import type { Command, Ran } from "./command-runner.ts";
import type { Hands, Use } from "./effects.ts";
import type { Written } from "./host-writer.ts";
import type { Journal, JournalRecord } from "./journal.ts";

/** A small host for tests: one parent `gpu` with the type `t-1` and `room` devices, a VF, and an mdevctl. */
export interface MadeUpHost {
  readonly entries: Map<string, MemoryEntry>;
  readonly hands: Hands;
  /** Every write and command, in order. */
  readonly log: string[];
  /** Answers of coming writes to a path, instead of what the host would do; the last one stays. */
  readonly refusals: Map<string, string[]>;
  /** Users by UUID or address. */
  readonly uses: Map<string, Use>;
}

export const PARENT_PATH = "/sys/devices/pci0000:00/gpu";
export const VGPU_PATH = "/sys/bus/pci/devices/0000:08:00.4/nvidia/current_vgpu_type";

/** Makes the host. `scratch` is a directory that exists, for definitions. */
export function makeUpHost(room: number, scratch = "/nowhere"): MadeUpHost {
  const entries = new Map<string, MemoryEntry>([
    ["/sys/bus/mdev/devices", { kind: "directory" }],
    ["/sys/class/mdev_bus/gpu", { kind: "link", target: PARENT_PATH }],
    [`${PARENT_PATH}/mdev_supported_types/t-1/create`, { kind: "file", content: "", mode: 0o200 }],
    [VGPU_PATH, "0\n"],
    ["/etc/mdevctl.d", { kind: "directory" }],
  ]);
  const host: MadeUpHost = {
    entries,
    log: [],
    refusals: new Map(),
    uses: new Map(),
    hands: {
      writer: { write: (path, text) => write(host, room, { path, text }) },
      look: () => openMemoryTree(entries),
      runner: { run: (command) => Promise.resolve(run(host, room, command)) },
      mdevctl: { kind: "usable", version: "1.2.0", variables: {} },
      scratch,
      useOf: (identity) => host.uses.get(identity) ?? { kind: "free" },
    },
  };
  return host;
}

/** The whole host as text, to compare two moments. */
export function describeHost({ entries }: MadeUpHost): string {
  const lines = [...entries].map(([path, entry]) => `${path} ${JSON.stringify(entry)}`);
  return lines.sort().join("\n");
}

/** A journal in memory; `failFrom` is the number of the record at which the disk is full. */
export function makeUpJournal(failFrom: number = Number.POSITIVE_INFINITY): Journal {
  const records: JournalRecord[] = [];
  let tries = 0;
  return {
    records,
    append: (record) => {
      tries += 1;
      if (tries >= failFrom) return { kind: "failed", errno: "ENOSPC" };
      records.push(record);
      return { kind: "written" };
    },
  };
}

function write(host: MadeUpHost, room: number, { path, text }: { path: string; text: string }): Written {
  host.log.push(`${path} ${text.trim()}`);
  const refusals = host.refusals.get(path) ?? [];
  const refusal = refusals.length > 1 ? refusals.shift() : refusals[0];
  if (refusal === "ignored") return { kind: "written" };
  if (refusal !== undefined && refusal !== "overtaken") return { kind: "failed", errno: refusal };
  const value = text.trim();
  if (refusal === "overtaken") {
    create(host, room, value);
    return { kind: "failed", errno: "EEXIST" };
  }
  if (path.endsWith("/create")) return create(host, room, value);
  const remove = /^\/sys\/bus\/mdev\/devices\/([^/]+)\/remove$/.exec(path);
  if (remove !== null) return removeDevice(host, remove[1] ?? "");
  const real = path.replace("/sys/bus/mdev/devices", PARENT_PATH);
  if (!host.entries.has(real)) return { kind: "failed", errno: "ENOENT" };
  if (value === "garbage") return { kind: "failed", errno: "EINVAL" };
  host.entries.set(real, real.endsWith("/switch") ? `switched ${value}\n` : `${value}\n`);
  return { kind: "written" };
}

function create(host: MadeUpHost, room: number, value: string): Written {
  const [uuid = "", aggregate] = value.split(",aggregate=");
  const link = `/sys/bus/mdev/devices/${uuid}`;
  if (host.entries.has(link)) return { kind: "failed", errno: "EEXIST" };
  const count = [...host.entries.keys()].filter((path) => path.startsWith("/sys/bus/mdev/devices/")).length;
  if (count >= room) return { kind: "failed", errno: "EUSERS" };
  const folder = `${PARENT_PATH}/${uuid}`;
  host.entries.set(link, { kind: "link", target: folder });
  host.entries.set(`${folder}/mdev_type`, { kind: "link", target: "../mdev_supported_types/t-1" });
  host.entries.set(`${folder}/aggregator`, `${aggregate ?? 1}\n`);
  host.entries.set(`${folder}/switch`, "switched off\n");
  host.entries.set(`${folder}/ap_config`, `${"0x0,0x0,0x0"}\n`);
  host.entries.set(`${folder}/outside`, { kind: "link", target: VGPU_PATH });
  return { kind: "written" };
}

function removeDevice(host: MadeUpHost, uuid: string): Written {
  if (!host.entries.delete(`/sys/bus/mdev/devices/${uuid}`)) return { kind: "failed", errno: "ENOENT" };
  for (const path of host.entries.keys()) {
    if (path.startsWith(`${PARENT_PATH}/${uuid}/`)) host.entries.delete(path);
  }
  return { kind: "written" };
}

/** mdevctl's verbs on this host. */
function run(host: MadeUpHost, room: number, { program, args }: Command): Ran {
  host.log.push([program, ...args].join(" "));
  const [verb = "", uuid = "", parent = ""] = args.map((arg) => arg.replace(/^--\w+=/, ""));
  const refusal = host.refusals.get(`mdevctl ${verb}`)?.shift();
  if (refusal !== undefined) return { kind: "exited", code: 1, stdout: "", stderr: refusal };
  const definition = `/etc/mdevctl.d/${parent}/${uuid}`;
  let isFine = true;
  if (verb === "define") host.entries.set(definition, "{}");
  else if (verb === "undefine") isFine = host.entries.delete(definition);
  else if (verb === "start") isFine = create(host, room, uuid).kind === "written";
  else isFine = removeDevice(host, uuid).kind === "written";
  return { kind: "exited", code: isFine ? 0 : 1, stdout: "", stderr: isFine ? "" : "Error: no" };
}
