// SPDX-License-Identifier: Apache-2.0

import type { Evidence } from "@berth/core/device/evidence";
import type { VmOwner } from "@berth/core/device/virtual-machine";
import { findVfioFile, isNamelessDevice } from "./open-devices.ts";
import type { VfioFiles } from "./open-devices.ts";
import { isQemu, readQemuArguments } from "./qemu-command-line.ts";
import type { QemuFacts } from "./qemu-command-line.ts";
import type { Resolved } from "../host/sysfs-tree.ts";
import { compare, escapeControls, evidenceOf, noteProblem } from "./scan.ts";
import type { Scan } from "./scan.ts";
import type { SeenDevice, VmSighting } from "./vm-sighting.ts";

/** Most processes of a host and most open files of one that are looked at. */
export const MAX_PROCESSES = 131_072;
export const MAX_OPEN_FILES = 65_536;

/** Longest command line that is read, in bytes. libvirt writes some ten thousand. */
const MAX_COMMAND_LINE = 262_144;
const MAX_CGROUP = 65_536;

/** A process that uses devices and is no VM that is known here. */
export interface DeviceProcess {
  readonly pid: number;
  readonly command: string;
  readonly devices: readonly SeenDevice[];
}

/** What the processes of a host tell of its VMs and of who uses its devices. */
export interface SeenProcesses {
  readonly vms: readonly VmSighting[];
  readonly others: readonly DeviceProcess[];
  /** Ids of the processes that are there; undefined where some may not be shown. */
  readonly pids?: ReadonlySet<number>;
  /** Why users may be missing, a phrase each. */
  readonly unseen: readonly string[];
}

/** Looks at the open files and command lines of every process. */
export function readProcesses(scan: Scan, files: VfioFiles): SeenProcesses {
  const listing = scan.tree.list("/proc");
  const pids = (listing.kind === "names" ? listing.names : []).filter((name) => /^[1-9]\d{0,9}$/.test(name));
  if (pids.length === 0) return { vms: [], others: [], unseen: ["no process is shown"] };
  const unread: Unread = { files: 0, arguments: 0, firstFiles: "", firstArguments: "" };
  const seen = pids.slice(0, MAX_PROCESSES).flatMap((pid) => readProcess(scan, pid, { files, unread }) ?? []);
  const vms = seen.flatMap((process) => ("from" in process ? process : []));
  const others = seen.flatMap((process) => ("from" in process ? [] : process));
  const unseen = tellUnread(scan, unread, pids.length);
  return showsAll(scan)
    ? { vms, others, pids: new Set(pids.map(Number)), unseen }
    : { vms, others, unseen: [...unseen, "kthreadd is not shown as process 2, so other processes may be hidden"] };
}

/**
 * Whether the processes are the whole host's: process 2 is the kernel's own thread there. A container shows its own
 * processes only, `hidepid` those of one user, and a capture what was copied.
 */
function showsAll({ tree }: Scan): boolean {
  const name = tree.read("/proc/2/comm", 64);
  return name.kind === "text" && name.text.trim() === "kthreadd";
}

/** Counts of what could not be read, and where the first of it stood. */
interface Unread {
  files: number;
  arguments: number;
  firstFiles: string;
  firstArguments: string;
}

interface Look {
  readonly files: VfioFiles;
  readonly unread: Unread;
}

function readProcess(scan: Scan, name: string, look: Look): VmSighting | DeviceProcess | undefined {
  const pid = Number(name);
  const path = `/proc/${name}`;
  const open = readOpenDevices(scan, path, look);
  const args = readArguments(scan, path, look);
  if (isQemu(args)) return readVm(scan, pid, { args, open });
  const command = escapeControls((args[0] ?? "").split("/").at(-1)?.slice(0, 64) ?? "") || "unknown";
  return open.length === 0 ? undefined : { pid, command, devices: open };
}

/** Devices behind open files. A process that is gone meanwhile, and one that the tree shows without files, has none. */
function readOpenDevices(scan: Scan, path: string, { files, unread }: Look): readonly SeenDevice[] {
  const folder = `${path}/fd`;
  const listing = scan.tree.list(folder);
  if (listing.kind === "absent" && scan.tree.list(path).kind !== "names") return [];
  if (listing.kind !== "names" || listing.names.length > MAX_OPEN_FILES) {
    if (isGone(listing)) return [];
    noteUnread(unread, folder);
    return [];
  }
  const found = new Map<string, SeenDevice>();
  let [isClosed, isNameless, isNamed] = [false, false, false];
  for (const name of listing.names) {
    const link = `${folder}/${name}`;
    const at = scan.tree.resolve(link);
    isClosed ||= isClosedToView(at, link);
    if (at.kind !== "path" && at.kind !== "dangling") continue;
    isNameless ||= isNamelessDevice(at.path);
    const file = findVfioFile(at.path);
    if (file === undefined) continue;
    isNamed = true;
    const evidence = evidenceOf(scan, link, { text: at.path });
    for (const device of files.devices.get(file) ?? []) {
      if (!found.has(device)) found.set(device, { device, how: "open-file", evidence });
    }
  }
  // Who holds a device and no group may hold any of them.
  if (isClosed || (isNameless && !isNamed)) noteUnread(unread, folder);
  return [...found.values()];
}

/**
 * Whether an open file may be of /dev/vfio and cannot be seen: the link itself is refused, as by a kernel that lets this
 * user list another process's files and not follow them (CAP_SYS_PTRACE is missing), or /dev/vfio is closed.
 */
function isClosedToView(at: Resolved, link: string): boolean {
  if (at.kind !== "failed" && at.kind !== "refused") return false;
  return !isGone(at) && (at.why.includes(link) || at.why.includes("/dev/vfio"));
}

function noteUnread(unread: Unread, folder: string): void {
  unread.files += 1;
  unread.firstFiles ||= folder;
}

function readArguments(scan: Scan, path: string, { unread }: Look): readonly string[] {
  const text = scan.tree.read(`${path}/cmdline`, MAX_COMMAND_LINE);
  if (text.kind === "text") return text.text === "" ? [] : text.text.replace(/\0$/, "").split("\0");
  if (text.kind !== "absent" && !isGone(text)) {
    unread.arguments += 1;
    unread.firstArguments ||= `${path}/cmdline`;
  }
  return text.kind === "too-long" ? text.start.split("\0") : [];
}

/** A process that ended while it was looked at. */
function isGone(answer: { readonly kind: string; readonly errno?: string }): boolean {
  return answer.kind === "failed" && answer.errno === "ESRCH";
}

/** One summary for all of them: without root the files of every other user's process are closed to view. */
function tellUnread(scan: Scan, unread: Unread, count: number): readonly string[] {
  const told: string[] = [];
  if (count > MAX_PROCESSES) told.push(`only the first ${MAX_PROCESSES} of ${count} processes are looked at`);
  if (unread.files > 0) told.push(`the open files of ${unread.files} of ${count} processes cannot be read`);
  if (unread.arguments > 0) told.push(`the command lines of ${unread.arguments} of ${count} processes cannot be read`);
  const [first, ...others] = told;
  if (first === undefined) return [];
  const message = `Users of devices may be missing: ${[first, ...others].join("; ")}`;
  const at = [unread.firstFiles, unread.firstArguments].find((path) => path !== "");
  noteProblem(scan, { code: "users_unseen", path: "/proc", message, ...(at === undefined ? {} : { text: at }) });
  return told;
}

interface QemuProcess {
  readonly args: readonly string[];
  readonly open: readonly SeenDevice[];
}

function readVm(scan: Scan, pid: number, { args, open }: QemuProcess): VmSighting {
  const path = `/proc/${pid}/cmdline`;
  const facts = readQemuArguments(args.slice(1));
  // The command line itself is not kept: it may hold what nobody else is to read.
  const evidence = evidenceOf(scan, path);
  for (const text of facts.unread) {
    noteProblem(scan, { code: "attribute_malformed", path, message: "A host device is named in no known way", text });
  }
  const named = facts.devices.map((device) => ({
    device,
    how: "argument" as const,
    evidence: evidenceOf(scan, path, { text: device }),
  }));
  const owner = findProcessOwner(scan, pid, facts);
  const command = escapeControls((args[0] ?? "").split("/").at(-1)?.slice(0, 64) ?? "") || "unknown";
  return {
    from: "process",
    by: "qemu",
    pid,
    command,
    ...(facts.name === undefined ? {} : { name: facts.name }),
    ...(facts.uuid === undefined ? {} : { uuid: facts.uuid }),
    ...(facts.memoryKib === undefined ? {} : { memoryKib: facts.memoryKib }),
    ...(owner === undefined ? {} : { owner }),
    devices: [...named, ...open].toSorted((a, b) => compare(a.device, b.device)),
    evidence,
  };
}

/** Marks on the process itself: its control group, what its firmware tells the guest, and Proxmox's own option. */
function findProcessOwner(scan: Scan, pid: number, facts: QemuFacts): VmOwner | undefined {
  const path = `/proc/${pid}/cgroup`;
  const read = scan.tree.read(path, MAX_CGROUP);
  const group = read.kind === "text" ? read.text.trim() : "";
  const inGroup = (text: string): Evidence => evidenceOf(scan, path, { text: escapeControls(text).slice(0, 200) });
  const inArguments = (text: string): Evidence =>
    evidenceOf(scan, `/proc/${pid}/cmdline`, { text: escapeControls(text) });
  const pod = /^.*[:/](?:kubepods|kubelet-kubepods)[./-].*$/m.exec(group);
  if (pod !== null) return { kind: "kubevirt", evidence: inGroup(pod[0]) };
  if (facts.product === "OpenStack Nova") return { kind: "nova", evidence: inArguments(facts.product) };
  if (facts.manufacturer === "oVirt") return { kind: "ovirt", evidence: inArguments(facts.manufacturer) };
  const scope = /^.*\/qemu\.slice\/\d+\.scope.*$/m.exec(group);
  if (scope !== null) return { kind: "proxmox", evidence: inGroup(scope[0]) };
  return facts.vmid === undefined ? undefined : { kind: "proxmox", evidence: inArguments(`-id ${facts.vmid}`) };
}
