// SPDX-License-Identifier: Apache-2.0

import { groupBy } from "@berth/core/device/group-by";
import { absent, known, unreadable } from "@berth/core/device/evidence";
import type { Reading } from "@berth/core/device/evidence";
import type { DeviceUse, DeviceUser } from "@berth/core/device/device-use";
import type { VfioDevice } from "@berth/core/device/vfio-device";
import type { VirtualMachine, VmDevice, VmOwner, VmState } from "@berth/core/device/virtual-machine";
import { LIVE_DOMAINS, readDomains } from "./domains.ts";
import { readMdevctlDefinitions } from "./mdevctl-definitions.ts";
import { listVfioFiles } from "./open-devices.ts";
import { readProcesses } from "./processes.ts";
import type { SeenProcesses } from "./processes.ts";
import { readProxmoxVms } from "./proxmox.ts";
import { compare, escapeControls, noteProblem } from "./scan.ts";
import type { Scan } from "./scan.ts";
import type { SeenDevice, VmSighting } from "./vm-sighting.ts";

/** What a host shows of its VMs and of who uses its devices. */
export interface SeenUsers {
  readonly virtualMachines: readonly VirtualMachine[];
  readonly uses: readonly DeviceUse[];
  readonly unseenUsers: readonly string[];
}

/** Finds the VMs of a host and the users of its devices: open files, command lines, and stored definitions. */
export function readVirtualMachines(scan: Scan, devices: readonly VfioDevice[]): SeenUsers {
  const processes = readProcesses(scan, listVfioFiles(scan, devices));
  const domains = readDomains(scan);
  const proxmox = readProxmoxVms(scan);
  const groups = groupSightings(scan, [...processes.vms, ...domains.vms, ...proxmox.vms]);
  const vms = groups.map((sightings) => ({ vm: joinSightings(scan, sightings, processes), sightings }));
  const uses = [
    ...vms.flatMap(({ vm, sightings }) => sightings.flatMap((sighting) => usesOf(vm, sighting))),
    ...processes.others.flatMap(({ pid, command, devices: seen }) =>
      seen.map(({ device, how, evidence }): DeviceUse => {
        const user: DeviceUser = { kind: "process", pid, command, how: how === "argument" ? how : "open-file" };
        return { device, user, evidence };
      }),
    ),
    ...readMdevctlDefinitions(scan),
  ];
  return {
    virtualMachines: vms.map(({ vm }) => vm).toSorted((a, b) => compare(a.id, b.id)),
    uses: uses.toSorted((a, b) => compare(a.device, b.device) || compare(a.evidence.path, b.evidence.path)),
    unseenUsers: [...new Set([...processes.unseen, ...domains.unseen, ...proxmox.unseen].map(escapeControls))],
  };
}

/** Sightings of one VM: those with one UUID; one without any joins the only VM of its name. */
function groupSightings(scan: Scan, sightings: readonly VmSighting[]): readonly (readonly VmSighting[])[] {
  const withUuid = groupBy(
    sightings.filter(({ uuid }) => uuid !== undefined),
    ({ uuid }) => uuid,
  );
  const groups = [...withUuid.values()];
  const nameless: VmSighting[] = [];
  for (const sighting of sightings.filter(({ uuid }) => uuid === undefined)) {
    const { name, pid } = sighting;
    const fits = groups.filter((group) =>
      group.some((other) => (name !== undefined && other.name === name) || (pid !== undefined && other.pid === pid)),
    );
    const [only] = fits;
    if (only !== undefined && fits.length === 1) only.push(sighting);
    else nameless.push(sighting);
  }
  const byName = groupBy(nameless, ({ name, pid }) => name ?? `pid-${pid}`);
  for (const group of groups) noteDifferentNames(scan, group);
  return [...groups, ...byName.values()];
}

function noteDifferentNames(scan: Scan, group: readonly VmSighting[]): void {
  const [first, ...others] = group;
  const other = others.find(({ name }) => name !== undefined && name !== first?.name && first?.name !== undefined);
  if (first === undefined || other === undefined) return;
  const message = `UUID ${first.uuid} is VM ${first.name} here and VM ${other.name} in ${first.evidence.path}`;
  noteProblem(scan, { code: "facts_disagree", path: other.evidence.path, message });
}

function joinSightings(scan: Scan, sightings: readonly VmSighting[], processes: SeenProcesses): VirtualMachine {
  const uuid = firstOf(sightings, "uuid");
  const name = firstOf(sightings, "name");
  const process = sightings.find(({ from }) => from === "process");
  const id = uuid ?? (name === undefined ? `pid-${process?.pid}` : escapeControls(name.slice(0, 200)));
  return {
    id,
    name: name === undefined ? id : escapeControls(name.slice(0, 200)),
    ...(uuid === undefined ? {} : { uuid }),
    ...(process?.pid === undefined ? {} : { pid: process.pid }),
    state: decideState(scan, sightings, processes),
    owner: decideOwner(sightings),
    devices: joinDevices(sightings),
    ...memoryOf(sightings),
  };
}

function firstOf<Key extends keyof VmSighting>(
  sightings: readonly VmSighting[],
  key: Key,
): VmSighting[Key] | undefined {
  return sightings.find((sighting) => sighting[key] !== undefined)?.[key];
}

/** A live description without its process is what a stop that was not noticed leaves behind, or half a capture. */
function decideState(scan: Scan, sightings: readonly VmSighting[], { pids }: SeenProcesses): VmState {
  if (sightings.some(({ from }) => from === "process")) return "running";
  const live = sightings.find(({ from }) => from === "live");
  if (live === undefined) {
    return pids !== undefined || scan.tree.list(LIVE_DOMAINS).kind === "names" ? "defined" : "unknown";
  }
  if (pids === undefined) return "running";
  if (live.pid !== undefined && pids.has(live.pid)) return "running";
  const message = `The domain is described as running${live.pid === undefined ? "" : ` with pid ${live.pid}`}, and no process shows it`;
  noteProblem(scan, { code: "facts_disagree", path: live.evidence.path, message });
  return "unknown";
}

function decideOwner(sightings: readonly VmSighting[]): VmOwner {
  const [first] = sightings;
  if (first === undefined) throw new Error("A VM is made of one sighting at least");
  return firstOf(sightings, "owner") ?? { kind: "unknown", evidence: withoutText(first) };
}

function withoutText({ evidence }: VmSighting): VmOwner["evidence"] {
  const { host, source, path } = evidence;
  return { host, source, path };
}

/**
 * A process holds whole groups open: where its arguments name a device behind such a file, only what is named is the
 * VM's. What a running VM has is what runs; its stored definition counts where nothing live tells.
 */
function joinDevices(sightings: readonly VmSighting[]): readonly VmDevice[] {
  const live = sightings.filter(({ from }) => from !== "stored");
  const telling = live.some(({ devices }) => devices.length > 0) || live.some(({ from }) => from === "live");
  const seen = (telling ? live : sightings).flatMap(ownDevices);
  const ids = new Set(seen.map(({ device }) => device));
  const stored = sightings.filter(({ from }) => from === "stored").flatMap(({ devices }) => devices);
  const marks = [...seen, ...(telling ? stored.filter(({ device }) => ids.has(device)) : [])];
  return [...groupBy(marks, ({ device }) => device)]
    .flatMap(([device, found]) => {
      const [first, ...others] = found.map(({ how, evidence }) => ({ how, evidence }));
      return first === undefined ? [] : [{ device, known: [first, ...others] as const }];
    })
    .toSorted((a, b) => compare(a.device, b.device));
}

function ownDevices({ devices }: VmSighting): readonly SeenDevice[] {
  const named = new Set(devices.filter(({ how }) => how !== "open-file").map(({ device }) => device));
  const files = devices.filter(({ how, device }) => how === "open-file" && named.has(device));
  const explained = new Set(files.map(({ evidence }) => evidence.text));
  return devices.filter(
    ({ how, device, evidence }) => how !== "open-file" || named.has(device) || !explained.has(evidence.text),
  );
}

/** The stored definition says what the guest may have; the command line what it was started with. */
function memoryOf(sightings: readonly VmSighting[]): Pick<VirtualMachine, "memoryKib" | "hugepageKib"> {
  const [first] = sightings;
  if (first === undefined) throw new Error("A VM is made of one sighting at least");
  const at = sightings.find(({ memoryKib }) => memoryKib !== undefined);
  const pages = sightings.find(({ hugepageKib }) => hugepageKib !== undefined);
  const memoryKib: Reading<number> =
    at?.memoryKib === undefined ? absent(withoutText(first)) : known(at.memoryKib, withoutText(at));
  return { memoryKib, hugepageKib: hugepageReading(pages ?? first) };
}

function hugepageReading(sighting: VmSighting): Reading<number> {
  const { hugepageKib } = sighting;
  if (hugepageKib === undefined) return absent(withoutText(sighting));
  const evidence = withoutText(sighting);
  return hugepageKib === 0
    ? unreadable("the host's default size, which is not said", evidence)
    : known(hugepageKib, evidence);
}

function usesOf(vm: VirtualMachine, sighting: VmSighting): readonly DeviceUse[] {
  return sighting.devices.map(({ device, how, evidence }) => ({ device, user: userOf(vm, sighting, how), evidence }));
}

function userOf(vm: VirtualMachine, sighting: VmSighting, how: SeenDevice["how"]): DeviceUser {
  if (sighting.from === "live") return { kind: "domain", vm: vm.id };
  if (sighting.from === "stored") {
    return { kind: "definition", by: sighting.by === "proxmox" ? "proxmox" : "libvirt", vm: vm.id };
  }
  const { pid = 0, command = "unknown" } = sighting;
  return { kind: "process", pid, command, how: how === "open-file" ? how : "argument", vm: vm.id };
}
