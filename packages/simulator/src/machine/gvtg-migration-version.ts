// SPDX-License-Identifier: Apache-2.0

import { refused, WRITTEN, type Stored } from "../tree/node.ts";
import type { Kernel } from "./kernel.ts";
import type { NamedAttribute } from "./mdev-driver.ts";

/**
 * Whether a GVT-g driver has the proposed `migration_version`, and the version of its stream. "invalid" is
 * INV_SOFTWARE_VERSION: the file is there and every access answers ENODEV.
 */
export type MigrationVersionSpec = number | "invalid";

interface Owner {
  readonly pciDevice: string;
  /** Without the driver's prefix, such as `GVTg_V5_4`. */
  readonly type: string;
  readonly version: MigrationVersionSpec | undefined;
}

/** The attribute `migration_version` of a type or a device, where the driver has it ("VFIO live migration" v3 to v5). */
export function listMigrationVersion(kernel: Kernel, owner: Owner): readonly NamedAttribute[] {
  if (owner.version === undefined) return [];
  const unsupported = (): Stored & { readonly kind: "failed" } => {
    kernel.log(`gvt: Migration not supported on type ${owner.type}. Please search previous detailed log`);
    return refused("ENODEV");
  };
  const own =
    owner.version === "invalid" ? undefined : formatMigrationVersion(owner.pciDevice, owner.type, owner.version);
  const show = () => (own === undefined ? unsupported() : ({ kind: "text", text: `${own}\n` } as const));
  const store = (text: string): Stored => (own === undefined ? unsupported() : compare(kernel, own, text));
  return [{ name: "migration_version", attribute: { mode: 0o644, show, store } }];
}

/** The string: vendor, device, type name and version of the stream. */
function formatMigrationVersion(pciDevice: string, type: string, version: number): string {
  return `8086-${pciDevice}-${type}-${version.toString(16).padStart(8, "0")}`;
}

/**
 * Compares whole strings, a trailing newline aside. Only the explanation in the log looks at the parts, hardware first,
 * then the version, then the type; the errno is always EINVAL.
 */
function compare(kernel: Kernel, own: string, text: string): Stored {
  const given = text.replace(/\n$/, "");
  if (given === own) return WRITTEN;
  const ours = parse(own);
  const theirs = parse(given);
  if (theirs === undefined || ours === undefined) kernel.log("gvt: wrong string format, probably wrong GVT version");
  else if (theirs.vendor !== ours.vendor || theirs.device !== ours.device)
    kernel.log("gvt: physical device not matched");
  else if (theirs.version !== ours.version) kernel.log("gvt: migration software version not matched");
  else kernel.log("gvt: vgpu type not matched");
  return refused("EINVAL");
}

interface Parts {
  readonly vendor: number;
  readonly device: number;
  readonly type: string;
  readonly version: number;
}

/** sscanf("%x-%x-%16[^-]-%x"): what follows the last number is not looked at. */
function parse(text: string): Parts | undefined {
  const match = /^\s*(?:0x)?([0-9a-f]+)-\s*(?:0x)?([0-9a-f]+)-([^-]{1,16})-\s*(?:0x)?([0-9a-f]+)/i.exec(text);
  if (match === null) return undefined;
  const [, vendor = "", device = "", type = "", version = ""] = match;
  return { vendor: parseHex(vendor), device: parseHex(device), type, version: parseHex(version) };
}

function parseHex(digits: string): number {
  return Number.parseInt(digits, 16);
}
