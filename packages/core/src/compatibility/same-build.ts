// SPDX-License-Identifier: Apache-2.0

import { isPciAddress } from "../device/address.ts";
import { unreadable, type Reading } from "../device/evidence.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import type { PciIds } from "../device/pci-function.ts";
import { describeGaps, sideOf, type Sides } from "./side.ts";
import type { Side } from "./verdict.ts";

/** What has to be equal before two vendor drivers are one build on one kind of hardware. */
export type BuildPart = "module" | "build" | "kernel" | "firmware" | "pci-ids";

/** Whether both ends run the very same build of the vendor driver, and what tells. */
export type BuildComparison =
  | (Sides & { readonly kind: "same"; readonly text: string })
  | (Sides & { readonly kind: "different"; readonly parts: readonly BuildPart[]; readonly text: string })
  | (Sides & { readonly kind: "unknown"; readonly parts: readonly BuildPart[]; readonly text: string });

interface PartComparison extends Sides {
  readonly part: BuildPart;
  readonly kind: "equal" | "different" | "unknown";
  readonly text: string;
}

/** How a part is called in a text and printed as a value. */
interface Naming<T> {
  readonly part: BuildPart;
  readonly name: string;
  readonly format?: (value: T) => string;
}

/**
 * Compares the builds of both ends (R4 b): module name, module build, the whole kernel version, device firmware where
 * there is one, and PCI ids. One difference settles it; else one unknown part leaves it unknown.
 */
export function compareBuilds(source: MigrationProfile, destination: MigrationProfile): BuildComparison {
  const parts = [
    compareModuleNames(source, destination),
    compareModuleBuilds(source, destination),
    compareReadings({ part: "kernel", name: "kernel version" }, source.kernel.version, destination.kernel.version),
    compareFirmware(source, destination),
    comparePciIds(source, destination),
  ];
  const sides = { source: buildSide(source), destination: buildSide(destination) };
  const different = parts.filter((part) => part.kind === "different");
  if (different.length > 0) return { kind: "different", ...namesOf(different), ...sides };
  const unknown = parts.filter((part) => part.kind === "unknown");
  if (unknown.length > 0) return { kind: "unknown", ...namesOf(unknown), ...sides };
  return { kind: "same", text: `same build of ${sides.source.value ?? "the vendor driver"}`, ...sides };
}

/** Writes the build of one end: `vgpu (srcversion E173..., kernel 6.12.107+deb13-amd64)`; undefined where unknown. */
export function describeBuild(profile: MigrationProfile): string | undefined {
  const build = buildIdOf(profile);
  if (profile.module.kind !== "known" || build.kind !== "known") return undefined;
  const { release } = profile.kernel;
  const kernel = release.kind === "known" ? `, kernel ${release.value}` : "";
  return `${profile.module.value.name} (${build.value}${kernel})`;
}

/** The build of one end's module as `build-id ...`, or `srcversion ...` where the module carries no build-id. */
export function buildIdOf(profile: MigrationProfile): Reading<string> {
  if (profile.module.kind !== "known") return profile.module;
  const { buildId, srcversion } = profile.module.value;
  const [name, reading] = buildId.kind === "absent" ? ["srcversion", srcversion] : ["build-id", buildId];
  if (reading.kind !== "known") return reading;
  if (isBlank(reading.value)) return unreadable(`its ${name} is empty`, reading.evidence);
  return { ...reading, value: `${name} ${reading.value}` };
}

/** Whether a text is there and says nothing: two of them are alike, and prove no likeness. */
export function isBlank(text: string): boolean {
  return text.trim() === "";
}

function buildSide(profile: MigrationProfile): Side {
  const value = describeBuild(profile);
  const { evidence } = buildIdOf(profile);
  return value === undefined ? { evidence } : { value, evidence };
}

function namesOf(parts: readonly PartComparison[]): { readonly parts: readonly BuildPart[]; readonly text: string } {
  return { parts: parts.map((part) => part.part), text: parts.map((part) => part.text).join("; ") };
}

function compareModuleNames(source: MigrationProfile, destination: MigrationProfile): PartComparison {
  const naming: Naming<string> = { part: "module", name: "the vendor driver's module" };
  return compareReadings(naming, moduleNameOf(source), moduleNameOf(destination));
}

function moduleNameOf({ module }: MigrationProfile): Reading<string> {
  return module.kind === "known" ? { ...module, value: module.value.name } : module;
}

/**
 * Build-ids decide where both modules carry one. `srcversion` names the sources only, so it stands in where neither
 * does; a build-id on one side alone tells two unlike binaries or half a tree, and never equality.
 */
function compareModuleBuilds(source: MigrationProfile, destination: MigrationProfile): PartComparison {
  const naming: Naming<string> = { part: "build", name: "the module's build" };
  const compared = compareReadings(naming, buildIdOf(source), buildIdOf(destination));
  if (compared.kind === "unknown" || lacksBuildId(source) === lacksBuildId(destination)) return compared;
  return { ...compared, kind: "unknown", text: "the module carries a build-id at one end only" };
}

function lacksBuildId({ module }: MigrationProfile): boolean {
  return module.kind === "known" && module.value.buildId.kind === "absent";
}

/** Absent on both sides is a device without firmware of its own, as far as anybody says. */
function compareFirmware(source: MigrationProfile, destination: MigrationProfile): PartComparison {
  const naming: Naming<string> = { part: "firmware", name: "device firmware" };
  if (source.firmware.kind === "absent" && destination.firmware.kind === "absent") {
    return { ...naming, kind: "equal", text: "", ...sidesOfPart(source.firmware, destination.firmware, naming) };
  }
  return compareReadings(naming, source.firmware, destination.firmware);
}

/** Off the PCI bus there are no ids to compare; a PCI parent without ids is one that was not read. */
function comparePciIds(source: MigrationProfile, destination: MigrationProfile): PartComparison {
  const naming: Naming<PciIds> = { part: "pci-ids", name: "PCI ids", format: formatPciIds };
  if (isOffPci(source) && isOffPci(destination)) {
    return { ...naming, kind: "equal", text: "", ...sidesOfPart(source.pciIds, destination.pciIds, naming) };
  }
  return compareReadings(naming, source.pciIds, destination.pciIds);
}

/** Whether a parent stands on another bus than PCI, so that it has no PCI ids. */
export function isOffPci(profile: MigrationProfile): boolean {
  return profile.pciIds.kind === "absent" && !isPciAddress(profile.subject.parent);
}

/** Writes `vvvv:dddd:ssss:ssss`. */
export function formatPciIds(ids: PciIds): string {
  return `${ids.vendor}:${ids.device}:${ids.subsystemVendor}:${ids.subsystemDevice}`;
}

function compareReadings<T>(naming: Naming<T>, source: Reading<T>, destination: Reading<T>): PartComparison {
  const sides = sidesOfPart(source, destination, naming);
  const { part, name } = naming;
  if (source.kind !== "known" || destination.kind !== "known") {
    return { part, kind: "unknown", text: describeGaps(name, source, destination), ...sides };
  }
  if ([sides.source, sides.destination].some(({ value = "" }) => isBlank(value))) {
    return { part, kind: "unknown", text: `${name} is empty`, ...sides };
  }
  if (sides.source.value === sides.destination.value) return { part, kind: "equal", text: "", ...sides };
  const text = `${name} differs: ${shorten(sides.source)} and ${shorten(sides.destination)}`;
  return { part, kind: "different", text, ...sides };
}

function sidesOfPart<T>(source: Reading<T>, destination: Reading<T>, naming: Naming<T>): Sides {
  const format = naming.format ?? String;
  return { source: sideOf(source, format), destination: sideOf(destination, format) };
}

function shorten({ value = "nothing" }: Side): string {
  return value.length > 120 ? `${value.slice(0, 120)}…` : value;
}
