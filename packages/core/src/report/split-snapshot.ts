// SPDX-License-Identifier: Apache-2.0

import type { ApQueue } from "../device/ap-matrix.ts";
import type { HostSnapshot } from "../device/host-snapshot.ts";
import type { ParentDevice, PoolOwner } from "../device/parent-device.ts";
import type { Problem } from "../device/problem.ts";
import type { VirtualMachine } from "../device/virtual-machine.ts";
import type { CatalogueTexts, Cut, Digest, Hash, Inventory, InventoryRecord, Section } from "./inventory.ts";
import { countUtf8Bytes, INVENTORY_MAX_BYTES } from "./inventory.ts";
import { formatInventory } from "./inventory-document.ts";
import { startShapes, writeRecord, type ShapeWriter } from "./write-shape.ts";

/** A snapshot in three: what travels for this host, what it shares with others, and what stays on it. */
export interface SplitSnapshot {
  readonly inventory: Inventory;
  /** The inventory as the text that is stored, at most 64 KiB. */
  readonly text: string;
  /** Digest of that text: an agent sends it alone while nothing changes. */
  readonly digest: Digest;
  readonly bytes: number;
  /** Every shape that the inventory rests on. */
  readonly shapes: CatalogueTexts;
  /** Raw texts by path that the agent keeps, and tells when asked. */
  readonly texts: ReadonlyMap<string, string>;
}

const VM_SIZES = ["memoryKib", "hugepageKib"];

/** Problems that are kept where not all fit. */
const PROBLEMS_KEPT = 50;

/**
 * Splits what a host showed. What does not fit into 64 KiB is cut, and the inventory says so in `cut` and as a problem:
 * first the list of problems, then everything but the host's name. A host that is cut to its name is not an empty host.
 * Throws TypeError for a snapshot with values that JSON cannot hold.
 */
export function splitSnapshot(snapshot: HostSnapshot, hash: Hash): SplitSnapshot {
  const whole = splitAs(snapshot, hash, "nothing");
  if (isSmall(whole)) return whole;
  const fewer = splitAs(withFewerProblems(snapshot), hash, "problems");
  if (snapshot.problems.length > PROBLEMS_KEPT && isSmall(fewer)) return fewer;
  return splitAs(nameAlone(snapshot, whole), hash, "everything");
}

function isSmall(split: SplitSnapshot): boolean {
  if (split.bytes > INVENTORY_MAX_BYTES) return false;
  return [...split.shapes.values()].every((text) => countUtf8Bytes(text) <= INVENTORY_MAX_BYTES);
}

function splitAs(snapshot: HostSnapshot, hash: Hash, cut: Cut): SplitSnapshot {
  const writer = startShapes(snapshot.host, hash);
  const inventory: Inventory = { host: snapshot.host, cut, sections: writeSections(writer, snapshot), more: {} };
  const text = formatInventory(inventory);
  return {
    inventory,
    text,
    digest: hash(text),
    bytes: countUtf8Bytes(text),
    shapes: writer.shapes,
    texts: writer.texts,
  };
}

function writeSections(
  writer: ShapeWriter,
  snapshot: HostSnapshot,
): Readonly<Record<Section, readonly InventoryRecord[]>> {
  const {
    parents,
    devices,
    functions,
    modules,
    problems,
    virtualMachines,
    uses,
    apBus,
    host: _host,
    ...rest
  } = snapshot;
  const { queues = [], ...bus } = apBus ?? {};
  const host = apBus === undefined ? rest : { ...rest, apBus: bus };
  return {
    host: [writeRecord(writer, host, { names: [] })],
    parents: parents.map((parent) => writeRecord(writer, parent, { names: namesOfParent(parent), nested: ["types"] })),
    devices: devices.map((device) =>
      writeRecord(writer, device, { names: distinct([device.id, folderOf(device.path), device.parent]) }),
    ),
    functions: functions.map((pci) =>
      writeRecord(writer, pci, { names: distinct([pci.address, folderOf(pci.path), pci.physicalFunction ?? ""]) }),
    ),
    modules: modules.map((module) => writeRecord(writer, module, { names: [module.name] })),
    queues: queues.map((queue) => writeRecord(writer, queue, { names: namesOfQueue(queue) })),
    virtualMachines: virtualMachines.map((vm) =>
      writeRecord(writer, vm, {
        names: namesOfVm(vm),
        nested: ["devices"],
        own: ["device", "pid", "uuid", ...VM_SIZES],
      }),
    ),
    uses: uses.map((use) => writeRecord(writer, use, { names: [use.device], own: ["pid", "command", "vm"] })),
    problems: problems.map((problem) =>
      writeRecord(writer, problem, { names: distinct([problem.path, problem.text ?? ""]) }),
    ),
  };
}

function namesOfParent(parent: ParentDevice): readonly string[] {
  return distinct([parent.id, folderOf(parent.path), ownerId(parent.poolOwner), parent.pci ?? ""]);
}

/** `01.0005`, and `card01`, whose folder says what its queues are. */
function namesOfQueue({ apqn }: ApQueue): readonly string[] {
  const adapter = apqn.adapter.toString(16).padStart(2, "0");
  return [`${adapter}.${apqn.domain.toString(16).padStart(4, "0")}`, `card${adapter}`];
}

/** Its process number stands in the paths under /proc. */
function namesOfVm({ id, name, pid }: VirtualMachine): readonly string[] {
  return distinct([id, name, pid === undefined ? "" : `/proc/${pid}/`]);
}

function ownerId(owner: PoolOwner): string {
  return owner.kind === "unknown" ? "" : owner.id;
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** A name that is there already is left empty, so that like things have like shapes. */
function distinct(names: readonly string[]): readonly string[] {
  return names.map((name, index) => (names.indexOf(name) < index ? "" : name));
}

function withFewerProblems(snapshot: HostSnapshot): HostSnapshot {
  const left = snapshot.problems.length - PROBLEMS_KEPT;
  const message = `${left} more problems did not fit into the report: berth host on the host itself lists them`;
  const closing: Problem = { code: "too_many_entries", host: snapshot.host, path: "/", message };
  return { ...snapshot, problems: [...snapshot.problems.slice(0, PROBLEMS_KEPT), closing] };
}

function nameAlone(snapshot: HostSnapshot, whole: SplitSnapshot): HostSnapshot {
  const counts = (["parents", "devices", "functions", "virtualMachines", "problems"] as const).map(
    (list) => `${snapshot[list].length} ${list}`,
  );
  const largest = Math.max(whole.bytes, ...[...whole.shapes.values()].map(countUtf8Bytes));
  const message = `The inventory takes ${largest} bytes, more than ${INVENTORY_MAX_BYTES}: ${counts.join(", ")} are not shown`;
  const nowhere = { kind: "unreadable", why: "left out of the report", evidence: whereLeftOut(snapshot.host) } as const;
  return {
    host: snapshot.host,
    kernel: { release: nowhere, version: nowhere },
    os: nowhere,
    parents: [],
    devices: [],
    functions: [],
    modules: [],
    virtualMachines: [],
    uses: [],
    unseenUsers: ["the inventory was too large to be reported"],
    facts: {},
    problems: [{ code: "inventory_too_large", host: snapshot.host, path: "/", message }],
  };
}

function whereLeftOut(host: string): { readonly host: string; readonly source: "sysfs"; readonly path: string } {
  return { host, source: "sysfs", path: "/" };
}
