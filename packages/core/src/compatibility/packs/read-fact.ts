// SPDX-License-Identifier: Apache-2.0

import type { Reading } from "../../device/evidence.ts";
import { absent } from "../../device/evidence.ts";
import type { MigrationProfile } from "../../device/migration-profile.ts";
import type { ModuleBuild } from "../../device/module-build.ts";
import type { PciIds } from "../../device/pci-function.ts";
import { formatSoftwareVersion } from "../../device/software-version.ts";
import type { FactName } from "./pack.ts";

/** Facts that come from the profile's own fields, not from fact scripts. */
export const WELL_KNOWN_FACTS = [
  "device_api",
  "driver_module",
  "firmware",
  "kernel_release",
  "module_srcversion",
  "module_version",
  "os_id",
  "os_version",
  "pci_device",
  "pci_subsystem_device",
  "pci_subsystem_vendor",
  "pci_vendor",
  "software_version",
  "type",
] as const;

type WellKnown = (typeof WELL_KNOWN_FACTS)[number];

const WELL_KNOWN: Readonly<Record<WellKnown, (profile: MigrationProfile) => Reading<string>>> = {
  device_api: (profile) => profile.deviceApi,
  driver_module: (profile) => mapReading(profile.module, (module) => module.name),
  firmware: (profile) => profile.firmware,
  kernel_release: (profile) => profile.kernel.release,
  module_srcversion: (profile) => moduleReading(profile.module, (module) => module.srcversion),
  module_version: (profile) => moduleReading(profile.module, (module) => module.version),
  os_id: (profile) => mapReading(ownFact(profile, "os"), (os) => splitOs(os).id),
  os_version: (profile) => mapReading(ownFact(profile, "os"), (os) => splitOs(os).version),
  pci_device: (profile) => pciReading(profile, (ids) => ids.device),
  pci_subsystem_device: (profile) => pciReading(profile, (ids) => ids.subsystemDevice),
  pci_subsystem_vendor: (profile) => pciReading(profile, (ids) => ids.subsystemVendor),
  pci_vendor: (profile) => pciReading(profile, (ids) => ids.vendor),
  software_version: (profile) => mapReading(profile.attributes.softwareVersion, formatSoftwareVersion),
  type: (profile) => profile.type,
};

/**
 * Looks one fact up by name. The profile's own fields go first: a fact script cannot talk over what the kernel says.
 * Where the field is absent, or the name is not well known, the profile's facts are asked; a name that nobody supplied
 * is absent.
 */
export function readFact(profile: MigrationProfile, name: FactName): Reading<string> {
  const reading = isWellKnown(name) ? WELL_KNOWN[name](profile) : undefined;
  return reading === undefined || reading.kind === "absent" ? ownFact(profile, name) : reading;
}

/** Like readFact; where the fact is absent and the pack names another one for it, that one is read. */
export function readAliasedFact(
  profile: MigrationProfile,
  name: FactName,
  aliases: Readonly<Record<FactName, FactName>> | undefined,
): Reading<string> {
  const reading = readFact(profile, name);
  const alias = aliases !== undefined && Object.hasOwn(aliases, name) ? aliases[name] : undefined;
  return reading.kind === "absent" && alias !== undefined ? readFact(profile, alias) : reading;
}

function isWellKnown(name: string): name is WellKnown {
  return Object.hasOwn(WELL_KNOWN, name);
}

function ownFact(profile: MigrationProfile, name: string): Reading<string> {
  const fact = Object.hasOwn(profile.facts, name) ? profile.facts[name] : undefined;
  return fact ?? absent({ host: profile.subject.host, source: "declaration", path: `fact ${name}` });
}

/** `rhel 9.6` is id and version; an operating system without a version has an empty one. */
function splitOs(os: string): { readonly id: string; readonly version: string } {
  const [id = "", version = ""] = os.trim().split(/\s+/);
  return { id, version };
}

function mapReading<T>(reading: Reading<T>, text: (value: T) => string): Reading<string> {
  return reading.kind === "known" ? { kind: "known", value: text(reading.value), evidence: reading.evidence } : reading;
}

function moduleReading(module: Reading<ModuleBuild>, part: (module: ModuleBuild) => Reading<string>): Reading<string> {
  return module.kind === "known" ? part(module.value) : module;
}

function pciReading(profile: MigrationProfile, part: (ids: PciIds) => string): Reading<string> {
  return mapReading(profile.pciIds, part);
}
