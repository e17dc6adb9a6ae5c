// SPDX-License-Identifier: Apache-2.0

import { isUuid } from "@berth/core/device/address";
import { parseFields, readDeviceId } from "./qemu-command-line.ts";
import { listNames } from "./read-directory.ts";
import { evidenceOf, noteProblem, noteUnread } from "./scan.ts";
import type { Scan } from "./scan.ts";
import type { SeenDomains } from "./domains.ts";
import type { SeenDevice, VmSighting } from "./vm-sighting.ts";

/** Where Proxmox VE shows the VMs of its own node. */
export const PROXMOX_VMS = "/etc/pve/qemu-server";

const MAX_CONFIG = 524_288;

/** Reads the VMs that Proxmox VE has defined on this node. */
export function readProxmoxVms(scan: Scan): SeenDomains {
  const unseen: string[] = [];
  if (scan.tree.list(PROXMOX_VMS).kind === "failed") unseen.push(`${PROXMOX_VMS} cannot be listed`);
  const vms = listNames(scan, PROXMOX_VMS).flatMap((name) => {
    const vmid = /^([1-9]\d{0,8})\.conf$/.exec(name)?.[1];
    return vmid === undefined ? [] : (readVm(scan, vmid, unseen) ?? []);
  });
  return { vms, unseen };
}

function readVm(scan: Scan, vmid: string, unseen: string[]): VmSighting | undefined {
  const path = `${PROXMOX_VMS}/${vmid}.conf`;
  const read = scan.tree.read(path, MAX_CONFIG);
  if (read.kind === "absent") return undefined;
  if (read.kind !== "text") {
    if (read.kind === "too-long") {
      noteProblem(scan, { code: "attribute_too_long", path, message: `The text is longer than ${MAX_CONFIG} bytes` });
    } else noteUnread(scan, path, read);
    unseen.push(`${path} cannot be read`);
    return undefined;
  }
  const settings = parseSettings(read.text);
  const uuid = parseFields(settings.get("smbios1") ?? "", "uuid").get("uuid") ?? "";
  const memory = parseFields(settings.get("memory") ?? "", "current").get("current") ?? "";
  const devices = [...settings].flatMap(([key, value]) => readHostpci(scan, { path, vmid, key, value }, unseen));
  return {
    from: "stored",
    by: "proxmox",
    name: settings.get("name") ?? vmid,
    ...(isUuid(uuid) ? { uuid: uuid.toLowerCase() } : {}),
    owner: { kind: "proxmox", evidence: evidenceOf(scan, path) },
    ...(/^\d{1,9}$/.test(memory) ? { memoryKib: Number(memory) * 1024 } : {}),
    devices,
    evidence: evidenceOf(scan, path),
  };
}

/** `key: value` lines up to the first snapshot's heading; a key that is set twice has its last value. */
function parseSettings(text: string): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    if (/^\[.+\]\s*$/.test(line)) break;
    const found = /^([A-Za-z][\w-]*):\s*(\S.*)$/.exec(line);
    if (found !== null) settings.set(found[1] ?? "", (found[2] ?? "").trimEnd());
  }
  return settings;
}

interface Hostpci {
  readonly path: string;
  readonly vmid: string;
  readonly key: string;
  readonly value: string;
}

/** An mdev has a UUID of its slot and the VM's number; a function has its address; a mapping is resolved elsewhere. */
function readHostpci(scan: Scan, setting: Hostpci, unseen: string[]): readonly SeenDevice[] {
  const { path, key, value, vmid } = setting;
  const index = /^hostpci(\d{1,2})$/.exec(key)?.[1];
  if (index === undefined) return [];
  const fields = parseFields(value, "host");
  const evidence = evidenceOf(scan, path, { text: `${key}: ${value}`.slice(0, 200) });
  const mark = { how: "definition" as const, evidence };
  if (fields.has("mdev")) {
    const mdev = { device: `${index.padStart(8, "0")}-0000-0000-0000-${vmid.padStart(12, "0")}`, ...mark };
    // With SR-IOV and the vendor framework the function itself is the device, and which one is chosen at start.
    return [mdev];
  }
  const hosts = (fields.get("host") ?? "").split(";").filter((host) => host !== "");
  if (hosts.length === 0) unseen.push(`${path} names a mapping in ${key}, whose devices are not read`);
  return hosts.flatMap((host) => {
    const devices = findFunctions(scan, host);
    if (devices.length === 0) unseen.push(`${path} names ${host.slice(0, 40)} in ${key}, which is not on this host`);
    return devices.map((device) => ({ device, ...mark }));
  });
}

/** `01:00.0`, or `01:00` for every function of the slot. */
function findFunctions(scan: Scan, host: string): readonly string[] {
  const one = readDeviceId(host);
  if (one !== undefined) return [one];
  const slot = readDeviceId(`${host}.0`)?.slice(0, -1);
  if (slot === undefined) return [];
  return [0, 1, 2, 3, 4, 5, 6, 7]
    .map((number) => `${slot}${number}`)
    .filter((address) => scan.tree.resolve(`/sys/bus/pci/devices/${address}`).kind === "path");
}
