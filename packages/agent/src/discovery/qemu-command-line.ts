// SPDX-License-Identifier: Apache-2.0

import { isPciAddress, isUuid } from "@berth/core/device/address";

/** What a command line of QEMU says of its VM. */
export interface QemuFacts {
  readonly name?: string;
  readonly uuid?: string;
  /** Proxmox's number of the VM (`-id`, which only its QEMU takes). */
  readonly vmid?: string;
  readonly memoryKib?: number;
  /** Ids of the host devices that it names, lower case, each once. */
  readonly devices: readonly string[];
  /** `manufacturer` and `product` of `-smbios type=1`. */
  readonly manufacturer?: string;
  readonly product?: string;
  /** Host devices that it names in a way that is not understood, as written. */
  readonly unread: readonly string[];
}

const PROGRAM = /^(?:qemu-kvm|kvm|qemu|qemu-system-[\w-]+)$/;
const VFIO_DRIVER = /^vfio-(?:pci|pci-nohotplug|ap|ccw|platform|amd-xgbe|calxeda-xgmac)$/;

/** Whether a command line is QEMU's: by the program's name, or by a VFIO device among the arguments. */
export function isQemu(args: readonly string[]): boolean {
  const program = (args[0] ?? "").split("/").at(-1) ?? "";
  return PROGRAM.test(program) || readQemuArguments(args.slice(1)).devices.length > 0;
}

/** Reads the arguments of QEMU, the program's name left out. Options that say nothing here are passed over. */
export function readQemuArguments(args: readonly string[]): QemuFacts {
  const facts: Facts = { devices: new Set(), unread: [] };
  for (const [index, argument] of args.entries()) {
    const value = args[index + 1];
    if (value === undefined || !argument.startsWith("-")) continue;
    readOption(argument.replace(/^--?/, ""), value, facts);
  }
  return { ...facts, devices: [...facts.devices] };
}

type Facts = {
  -readonly [Key in keyof Omit<QemuFacts, "devices" | "unread">]: QemuFacts[Key];
} & { readonly devices: Set<string>; readonly unread: string[] };

function readOption(option: string, value: string, facts: Facts): void {
  if (option === "device") return readDevice(value, facts);
  if (option === "uuid" && isUuid(value)) facts.uuid = value.toLowerCase();
  if (option === "id" && /^\d{1,9}$/.test(value)) facts.vmid = value;
  if (option === "name") {
    const fields = parseFields(value, "guest");
    const name = fields.get("guest");
    if (name !== undefined && name !== "") facts.name = name;
  }
  if (option === "m") {
    const memoryKib = parseMemory(parseFields(value, "size").get("size") ?? "");
    if (memoryKib !== undefined) facts.memoryKib = memoryKib;
  }
  if (option === "smbios") readSmbios(parseFields(value, "type"), facts);
}

function readSmbios(fields: ReadonlyMap<string, string>, facts: Facts): void {
  if (fields.get("type") !== "1") return;
  const [manufacturer, product, uuid] = ["manufacturer", "product", "uuid"].map((name) => fields.get(name));
  if (manufacturer !== undefined) facts.manufacturer = manufacturer;
  if (product !== undefined) facts.product = product;
  if (uuid !== undefined && isUuid(uuid)) facts.uuid ??= uuid.toLowerCase();
}

function readDevice(value: string, facts: Facts): void {
  const fields = value.startsWith("{") ? parseJsonFields(value) : parseFields(value, "driver");
  if (!VFIO_DRIVER.test(fields.get("driver") ?? "")) return;
  const place = fields.get("host") ?? fields.get("sysfsdev")?.replace(/\/+$/, "").split("/").at(-1);
  const id = place === undefined ? undefined : readDeviceId(place);
  // With a descriptor that was handed over, the open file of the process tells the device.
  if (id !== undefined) facts.devices.add(id);
  else if (!fields.has("fd")) facts.unread.push(value);
}

/** Reads a UUID or a PCI address, with or without its domain. */
export function readDeviceId(text: string): string | undefined {
  if (isUuid(text) || isPciAddress(text)) return text.toLowerCase();
  const full = `0000:${text}`;
  return isPciAddress(full) ? full.toLowerCase() : undefined;
}

/** `a,b=c,,d`: a comma is doubled inside a value, and the first field may leave its name out. */
export function parseFields(text: string, first: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  const parts = text.replaceAll(",,", "\0").split(",");
  for (const [index, part] of parts.entries()) {
    const field = part.replaceAll("\0", ",");
    const equals = field.indexOf("=");
    if (equals >= 0) fields.set(field.slice(0, equals), field.slice(equals + 1));
    else if (index === 0) fields.set(first, field);
  }
  return fields;
}

function parseJsonFields(text: string): ReadonlyMap<string, string> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return new Map();
    return new Map(Object.entries(value).map(([name, field]) => [name, String(field)]));
  } catch (error) {
    if (error instanceof SyntaxError) return new Map();
    throw error;
  }
}

const SUFFIXES: ReadonlyMap<string, number> = new Map([
  ["b", 1 / 1024],
  ["k", 1],
  ["", 1024],
  ["m", 1024],
  ["g", 1_048_576],
  ["t", 1_073_741_824],
]);

/** `4096` is MiB, as QEMU has it; else b, k, M, G, T. */
function parseMemory(text: string): number | undefined {
  const found = /^(\d{1,15})([bkmgt]?)$/i.exec(text);
  const factor = SUFFIXES.get((found?.[2] ?? "").toLowerCase());
  return found === null || factor === undefined ? undefined : Math.ceil(Number(found[1]) * factor);
}
