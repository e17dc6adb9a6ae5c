// SPDX-License-Identifier: Apache-2.0

import type { Pool } from "@berth/core/capacity/pool";
import { formatRoom, roomFor } from "@berth/core/capacity/room";
import { explainUsage, type Usage } from "@berth/core/device/device-use";
import { valueOf } from "@berth/core/device/evidence";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import type { MdevType } from "@berth/core/device/mdev-type";
import type { ModuleBuild } from "@berth/core/device/module-build";
import type { ParentDevice, PoolOwner } from "@berth/core/device/parent-device";
import type { PciFunction } from "@berth/core/device/pci-function";
import type { Problem } from "@berth/core/device/problem";
import { formatSoftwareVersion } from "@berth/core/device/software-version";
import type { VirtualMachine } from "@berth/core/device/virtual-machine";
import type { FleetHost } from "@berth/core/inventory/fleet";
import { formatTable, indent, printable } from "./table.ts";
import { cell, counted, heading } from "./words.ts";

/** Everything that one host has, for a person. */
export function formatHost(host: FleetHost): string {
  const { snapshot } = host;
  const sections = [
    formatTitle(host),
    section("Parents", parentRows(snapshot, host.pools)),
    section("Types, and how many more fit", typeRows(snapshot, host.pools)),
    section("Devices", deviceRows(snapshot)),
    section("VMs", vmRows(snapshot.virtualMachines)),
    section("PCI functions: parents, physical and virtual functions, assigned devices", functionRows(snapshot)),
    section("Pools", poolRows(host.pools)),
    section("Modules", moduleRows(snapshot.modules)),
    section("Problems", problemRows(host.problems)),
  ];
  return sections.filter((text) => text !== "").join("\n\n");
}

function formatTitle({ snapshot, problems }: FleetHost): string {
  const count = problems.length === 0 ? "no problems" : counted(problems.length, "problem");
  const parts = [`Linux ${cell(snapshot.kernel.release)}`, cell(snapshot.os), count];
  const title = `${heading(printable(snapshot.host))}  ${parts.join("  ")}`;
  if (snapshot.parents.length > 0 || snapshot.devices.length > 0) return title;
  return `${title}\nNo parent device and no assigned device: nothing here can hold a VM's VFIO device yet.`;
}

function section(title: string, rows: readonly (readonly string[])[]): string {
  const [head, ...body] = rows;
  if (head === undefined || body.length === 0) return "";
  return `${heading(title)}\n${indent(formatTable(head, body), 2)}`;
}

function parentRows(snapshot: HostSnapshot, pools: readonly Pool[]): readonly (readonly string[])[] {
  const head = ["PARENT", "FRAMEWORK", "DRIVER", "MODULE", "NUMA", "IOMMU", "ROOM BELONGS TO", "LAW"];
  return [
    head,
    ...snapshot.parents.map((parent) => [
      parent.id,
      parent.framework,
      cell(parent.driver),
      cell(parent.module),
      cell(parent.numaNode),
      cell(parent.iommuGroup),
      ownerWords(parent),
      lawWords(poolOf(pools, parent.id)),
    ]),
  ];
}

function ownerWords(parent: ParentDevice): string {
  const owner = parent.poolOwner;
  return owner.kind === "parent" ? "itself" : formatOwner(owner);
}

function formatOwner(owner: PoolOwner): string {
  if (owner.kind === "parent") return owner.id;
  if (owner.kind === "physical-function") return `PF ${owner.id}`;
  if (owner.kind === "gpu-instance") return `GPU instance ${owner.instance} of ${owner.id}`;
  return "not known";
}

function lawWords(pool: Pool | undefined): string {
  if (pool === undefined) return "-";
  const { law, origin } = pool;
  if (law.kind === "unknown") return "unknown";
  return origin.kind === "declared" ? `${law.kind} (pack ${origin.pack})` : `${law.kind} (${origin.kind})`;
}

function poolOf(pools: readonly Pool[], parent: string): Pool | undefined {
  return pools.find((pool) => pool.parents.includes(parent));
}

/** A row for each type of a parent; parents that share one pool and one type share the row, with their sum and its room. */
function typeRows(snapshot: HostSnapshot, pools: readonly Pool[]): readonly (readonly string[])[] {
  const head = ["PARENT", "TYPE", "NAME", "DEVICE API", "AVAILABLE", "FIT", "VERSION", "DESCRIPTION"];
  const rows = pools.flatMap((pool) => {
    const parents = snapshot.parents.filter((parent) => pool.parents.includes(parent.id));
    const types = new Map<string, MdevType[]>();
    for (const type of parents.flatMap((parent) => parent.types))
      types.set(type.id, [...(types.get(type.id) ?? []), type]);
    return [...types].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([id, offered]) => typeRow(pool, id, offered));
  });
  return [head, ...rows];
}

function typeRow(pool: Pool, id: string, offered: readonly MdevType[]): readonly string[] {
  const [type] = offered;
  if (type === undefined) throw new Error(`Type ${id} is offered by nobody`);
  const version = type.attributes.softwareVersion;
  const room = roomFor(pool, { type: id });
  return [
    parentsWords(pool),
    id,
    cell(type.name),
    cell(type.deviceApi),
    sumWords(offered),
    formatRoom(room, pool.law),
    version.kind === "known" ? formatSoftwareVersion(version.value) : cell(version),
    cell(type.description),
  ];
}

function parentsWords(pool: Pool): string {
  if (pool.parents.length === 1) return pool.parents.join();
  return pool.owner.kind === "unknown"
    ? `${pool.parents.length} parents`
    : `${pool.parents.length} of ${formatOwner(pool.owner)}`;
}

/** What the parents say together; a parent that does not say makes the sum unknown. */
function sumWords(offered: readonly MdevType[]): string {
  const numbers = offered.map((type) => valueOf(type.availableInstances));
  const known = numbers.filter((number) => number !== undefined);
  if (known.length < numbers.length)
    return offered.length === 1 && offered[0] ? cell(offered[0].availableInstances) : "?";
  const sum = known.reduce((total, number) => total + number, 0);
  return Number.isFinite(sum) ? String(sum) : "unlimited";
}

/** Devices, with who uses them where anybody does or everybody who could was seen. */
function deviceRows(snapshot: HostSnapshot): readonly (readonly string[])[] {
  const { devices } = snapshot;
  const usages = devices.map(({ id }) => explainUsage(snapshot, id));
  const isTold = usages.some(({ kind }) => kind !== "unknown");
  const head = ["DEVICE", "KIND", "PARENT", "TYPE", "UNITS", "DEVICE API", "DRIVER", "IOMMU"];
  return [
    isTold ? [...head, "USED BY"] : head,
    ...devices.map((device, index) => [
      device.id,
      device.kind,
      device.parent,
      cell(device.type),
      device.aggregation.kind === "known" ? String(device.aggregation.value.count) : cell(device.aggregation),
      cell(device.deviceApi),
      cell(device.driver),
      cell(device.iommuGroup),
      ...(isTold ? [usageWords(usages[index])] : []),
    ]),
  ];
}

function usageWords(usage: Usage | undefined): string {
  if (usage === undefined || usage.kind === "unknown") return "?";
  return usage.kind === "used" ? usage.text.replace(/^in use by /, "") : "nobody";
}

function vmRows(vms: readonly VirtualMachine[]): readonly (readonly string[])[] {
  const head = ["VM", "UUID", "STATE", "OWNER", "MEMORY MIB", "DEVICES"];
  return [
    head,
    ...vms.map(({ name, uuid, state, pid, owner, memoryKib, devices }) => [
      name,
      uuid ?? "-",
      state === "running" && pid !== undefined ? `running (pid ${pid})` : state === "defined" ? "shut off" : state,
      owner.kind,
      memoryKib.kind === "known" ? String(Math.ceil(memoryKib.value / 1024)) : cell(memoryKib),
      devices.length === 0 ? "-" : devices.map(({ device }) => device).join(" "),
    ]),
  ];
}

function functionRows(snapshot: HostSnapshot): readonly (readonly string[])[] {
  const head = ["FUNCTION", "IDS", "ROLE", "OF", "VFS", "DRIVER", "MODULE", "ASSIGNED", "NUMA", "IOMMU"];
  return [head, ...snapshot.functions.map(functionRow)];
}

function functionRow(pci: PciFunction): readonly string[] {
  const ids = pci.ids.kind === "known" ? `${pci.ids.value.vendor}:${pci.ids.value.device}` : cell(pci.ids);
  const total = cell(pci.totalVirtualFunctions);
  return [
    pci.address,
    ids,
    pci.role,
    pci.physicalFunction ?? "-",
    pci.role === "pf" ? `${pci.virtualFunctions.length} of ${total}` : "-",
    cell(pci.driver),
    cell(pci.module),
    pci.assigned ? "yes" : "no",
    cell(pci.numaNode),
    cell(pci.iommuGroup),
  ];
}

function poolRows(pools: readonly Pool[]): readonly (readonly string[])[] {
  const head = ["OWNER", "PARENTS", "HOLDS", "LAW", "HOW THAT IS KNOWN"];
  return [
    head,
    ...pools.map((pool) => [
      formatOwner(pool.owner),
      pool.parents.length > 3 ? counted(pool.parents.length, "parent") : pool.parents.join(" "),
      holdsWords(pool),
      pool.law.kind,
      originWords(pool),
    ]),
  ];
}

function holdsWords(pool: Pool): string {
  const held = new Map<string, number>();
  for (const occupant of pool.occupants) held.set(occupant.type, (held.get(occupant.type) ?? 0) + 1);
  if (held.size === 0) return "nothing";
  return [...held].map(([type, count]) => `${count} x ${type}`).join(", ");
}

function originWords({ law, origin }: Pool): string {
  if (law.kind === "unknown") return law.why;
  if (origin.kind === "declared") return `declared by pack ${origin.pack}`;
  return origin.kind === "inferred" ? `inferred: ${origin.proof}` : "not known";
}

function moduleRows(modules: readonly ModuleBuild[]): readonly (readonly string[])[] {
  const head = ["MODULE", "VERSION", "SRCVERSION", "BUILD ID", "TAINT"];
  return [
    head,
    ...modules.map((build) => [
      build.name,
      cell(build.version),
      cell(build.srcversion),
      cell(build.buildId),
      cell(build.taint) || "-",
    ]),
  ];
}

function problemRows(problems: readonly Problem[]): readonly (readonly string[])[] {
  return [
    ["CODE", "PATH", "WHAT"],
    ...problems.map((problem) => [problem.code, printable(problem.path), printable(problem.message)]),
  ];
}
