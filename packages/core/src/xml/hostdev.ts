// SPDX-License-Identifier: Apache-2.0

import { readElements, type OpenElement } from "./read-elements.ts";

/** A host device that a domain names: an mdev UUID or a PCI address, lower case. */
export interface HostdevAddress {
  readonly kind: "mdev" | "pci";
  readonly id: string;
}

/** What a libvirt domain says that matters for where it can go. Nothing is written back from it. */
export interface DomainFacts {
  readonly name?: string;
  readonly uuid?: string;
  /** Of a live status file (`domstatus`): the state's name and the process. */
  readonly state?: string;
  readonly pid?: number;
  readonly memoryKib?: number;
  /** Size of the first kind of hugepage that is asked for; 0 where the host's default size is. Absent: none is asked for. */
  readonly hugepageKib?: number;
  /** In the order of the text, each once. */
  readonly devices: readonly HostdevAddress[];
  /** Namespaces of the elements right below `metadata`: marks of who made the domain. */
  readonly metadata: readonly string[];
  /** Arguments that are passed to QEMU as they are (`qemu:arg`). */
  readonly qemuArguments: readonly string[];
  /** What could not be read, a phrase each. What was found beside it stands, and more may be there. */
  readonly problems: readonly string[];
}

const KIB: ReadonlyMap<string, number> = new Map([
  ["b", 1 / 1024],
  ["bytes", 1 / 1024],
  ["KB", 1000 / 1024],
  ["k", 1],
  ["KiB", 1],
  ["MB", 1_000_000 / 1024],
  ["M", 1024],
  ["MiB", 1024],
  ["GB", 1_000_000_000 / 1024],
  ["G", 1_048_576],
  ["GiB", 1_048_576],
  ["TB", 1_000_000_000_000 / 1024],
  ["T", 1_073_741_824],
  ["TiB", 1_073_741_824],
]);

/**
 * Finds the host devices in a libvirt domain, stored or live (`domstatus`): `hostdev`, network interfaces that are one,
 * NVMe disks, and QEMU's own arguments. Never throws: whatever is wrong is in `problems`.
 */
export function findHostdevs(xml: string): DomainFacts {
  const found: Found = { texts: new Map(), devices: new Map(), metadata: new Set(), qemuArguments: [], problems: [] };
  const failure = readElements(xml, {
    open: (stack) => readElement(stack, found),
    text: (text, stack) => readText(text, stack, found),
  });
  if (failure !== undefined) found.problems.push(failure);
  else if (!found.hasDomain) found.problems.push("the text is no domain");
  return factsOf(found);
}

interface Found {
  hasDomain?: boolean;
  state?: string;
  pid?: number;
  memoryUnit?: string;
  hugepageKib?: number;
  readonly texts: Map<string, string>;
  readonly devices: Map<string, HostdevAddress>;
  readonly metadata: Set<string>;
  readonly qemuArguments: string[];
  readonly problems: string[];
}

/** Names below `domain`, or undefined outside of one. */
function pathInDomain(stack: readonly OpenElement[]): readonly string[] | undefined {
  const names = stack.map(({ name }) => name);
  if (names[0] === "domain") return names.slice(1);
  return names[0] === "domstatus" && names[1] === "domain" ? names.slice(2) : undefined;
}

function readElement(stack: readonly OpenElement[], found: Found): void {
  const element = stack.at(-1);
  if (element === undefined) return;
  if (stack.length === 1 && element.name === "domstatus") readStatus(element, found);
  const path = pathInDomain(stack);
  if (path === undefined) return;
  found.hasDomain = true;
  const place = path.join("/");
  if (place === "memory") found.memoryUnit = element.attributes.get("unit") ?? "KiB";
  else if (place === "memoryBacking/hugepages") found.hugepageKib ??= 0;
  else if (place === "memoryBacking/hugepages/page") readPage(element, found);
  else if (path.length === 2 && path[0] === "metadata") readMark(stack, element, found);
  else if (localName(path[0]) === "commandline" && localName(path[1]) === "arg" && path.length === 2) {
    found.qemuArguments.push(element.attributes.get("value") ?? "");
  } else if (path[0] === "devices" && element.name === "address" && path.at(-2) === "source") {
    readAddress(stack, element, found);
  }
}

function readStatus({ attributes }: OpenElement, found: Found): void {
  const state = attributes.get("state");
  if (state !== undefined) found.state = state;
  const pid = attributes.get("pid") ?? "";
  if (/^[1-9]\d{0,9}$/.test(pid)) found.pid = Number(pid);
}

function readPage({ attributes }: OpenElement, found: Found): void {
  if (found.hugepageKib !== undefined && found.hugepageKib > 0) return;
  const size = toKib(attributes.get("size") ?? "", attributes.get("unit") ?? "KiB");
  if (size === undefined) found.problems.push("the size of a hugepage cannot be read");
  else found.hugepageKib = size;
}

function readMark(stack: readonly OpenElement[], element: OpenElement, found: Found): void {
  const colon = element.name.indexOf(":");
  const attribute = colon < 0 ? "xmlns" : `xmlns:${element.name.slice(0, colon)}`;
  const namespace = stack.findLast(({ attributes }) => attributes.has(attribute))?.attributes.get(attribute);
  if (namespace !== undefined) found.metadata.add(namespace);
}

/** The address of a host's device stands in `source`; the guest's address of it stands beside. */
function readAddress(stack: readonly OpenElement[], address: OpenElement, found: Found): void {
  const holder = stack.find(({ name }) => name === "hostdev" || name === "interface" || name === "disk");
  if (holder === undefined) return;
  const type = address.attributes.get("type") ?? holder.attributes.get("type");
  const isVfio =
    holder.name !== "hostdev" ? type === "pci" || address.attributes.has("slot") : type === "pci" || type === "mdev";
  if (!isVfio) return;
  const device = address.attributes.has("uuid") ? parseMdev(address) : parsePci(address);
  if (device === undefined) found.problems.push(`the address of a ${holder.name} cannot be read`);
  else found.devices.set(device.id, device);
}

function parseMdev({ attributes }: OpenElement): HostdevAddress | undefined {
  const id = (attributes.get("uuid") ?? "").trim().toLowerCase();
  return UUID.test(id) ? { kind: "mdev", id } : undefined;
}

function parsePci({ attributes }: OpenElement): HostdevAddress | undefined {
  const domain = parseNumber(attributes.get("domain") ?? "0", 0xffff_ffff);
  const bus = parseNumber(attributes.get("bus"), 0xff);
  const slot = parseNumber(attributes.get("slot"), 0x1f);
  const part = parseNumber(attributes.get("function") ?? "0", 7);
  if (domain === undefined || bus === undefined || slot === undefined || part === undefined) return undefined;
  return { kind: "pci", id: `${hex(domain, 4)}:${hex(bus, 2)}:${hex(slot, 2)}.${part}` };
}

function parseNumber(text: string | undefined, most: number): number | undefined {
  if (text === undefined || !/^(?:0[xX][0-9a-fA-F]{1,8}|\d{1,10})$/.test(text)) return undefined;
  const value = Number(text);
  return value <= most ? value : undefined;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

function localName(name: string | undefined): string | undefined {
  return name?.slice(name.indexOf(":") + 1);
}

/** Texts longer than this are no name, UUID or size. */
const MAX_TEXT = 4096;

function readText(text: string, stack: readonly OpenElement[], found: Found): void {
  const path = pathInDomain(stack);
  const [name] = path ?? [];
  if (path?.length !== 1 || (name !== "name" && name !== "uuid" && name !== "memory")) return;
  const joined = (found.texts.get(name) ?? "") + text;
  found.texts.set(name, joined.slice(0, MAX_TEXT));
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function factsOf(found: Found): DomainFacts {
  const name = found.texts.get("name")?.trim();
  const uuid = found.texts.get("uuid")?.trim().toLowerCase();
  const memory = found.texts.get("memory");
  const memoryKib = memory === undefined ? undefined : toKib(memory.trim(), found.memoryUnit ?? "KiB");
  if (uuid !== undefined && !UUID.test(uuid)) found.problems.push("the domain's UUID cannot be read");
  if (memory !== undefined && memoryKib === undefined) found.problems.push("the domain's memory cannot be read");
  return {
    ...(name === undefined || name === "" ? {} : { name }),
    ...(uuid === undefined || !UUID.test(uuid) ? {} : { uuid }),
    ...(found.state === undefined ? {} : { state: found.state }),
    ...(found.pid === undefined ? {} : { pid: found.pid }),
    ...(memoryKib === undefined ? {} : { memoryKib }),
    ...(found.hugepageKib === undefined ? {} : { hugepageKib: found.hugepageKib }),
    devices: [...found.devices.values()],
    metadata: [...found.metadata],
    qemuArguments: found.qemuArguments,
    problems: found.problems,
  };
}

function toKib(text: string, unit: string): number | undefined {
  const factor = KIB.get(unit);
  if (factor === undefined || !/^\d{1,15}$/.test(text)) return undefined;
  return Math.ceil(Number(text) * factor);
}
