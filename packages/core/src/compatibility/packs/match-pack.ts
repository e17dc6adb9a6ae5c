// SPDX-License-Identifier: Apache-2.0

import type { DeviceApi } from "../../device/device-api.ts";
import { unreadable, type Reading } from "../../device/evidence.ts";
import type { MigrationProfile } from "../../device/migration-profile.ts";
import type { PciIds } from "../../device/pci-function.ts";
import { isOffPci } from "../same-build.ts";
import type { LoadedPack, PackMatch } from "./pack.ts";

/**
 * What a pack is matched against: an end of a move, or a parent with one of its types. A field that is left out was not
 * looked at; a pack that needs it cannot be decided.
 */
export interface PackSubject {
  readonly driverPrefix?: Reading<string>;
  readonly pciIds?: Reading<PciIds>;
  /** Name of the kernel module of the vendor driver. */
  readonly module?: Reading<string>;
  readonly deviceApi?: Reading<DeviceApi>;
}

/** Whether a pack speaks for a subject; `unknown` where a fact that it asks for could not be read. */
export type Matched = "yes" | "no" | "unknown";

/** The first pack that speaks for a subject. */
export type FoundPack =
  | { readonly kind: "pack"; readonly pack: LoadedPack }
  | { readonly kind: "none" }
  | { readonly kind: "unknown"; readonly why: string };

/**
 * The facts of a profile that packs are matched against. A parent on the PCI bus has ids: where none are shown, nobody
 * has read them. Off the PCI bus there are none.
 */
export function packSubjectOf(profile: MigrationProfile): PackSubject {
  const { module, pciIds } = profile;
  return {
    driverPrefix: profile.vendorDriver,
    pciIds:
      pciIds.kind === "absent" && !isOffPci(profile)
        ? unreadable("a parent on the PCI bus has ids, and none are shown", pciIds.evidence)
        : pciIds,
    module: module.kind === "known" ? { kind: "known", value: module.value.name, evidence: module.evidence } : module,
    deviceApi: profile.deviceApi,
  };
}

/**
 * Decides whether a pack speaks for a subject: every field of its match must hold. One field that does not decides "no",
 * whatever else is unknown. A fact that is known to be absent (no PCI ids off the PCI bus) does not hold; a module that
 * sysfs does not lead to may be any, the one that is built into the kernel among them.
 */
export function matchPack(pack: LoadedPack, subject: PackSubject): Matched {
  const answers = askMatch(pack.pack.match, subject);
  if (answers.includes("no") || answers.length === 0) return "no";
  return answers.includes("unknown") ? "unknown" : "yes";
}

/** The first pack, in the order given, that speaks for a subject. An undecided one before it makes the answer unknown. */
export function findPack(subject: PackSubject, packs: readonly LoadedPack[]): FoundPack {
  for (const pack of packs) {
    const matched = matchPack(pack, subject);
    if (matched === "yes") return { kind: "pack", pack };
    if (matched === "unknown") return { kind: "unknown", why: explainUndecided(pack, subject) };
  }
  return { kind: "none" };
}

/** Puts an operator's packs before the others; a pack of the same name replaces the one that it names. */
export function layerPacks(below: readonly LoadedPack[], above: readonly LoadedPack[]): readonly LoadedPack[] {
  const names = new Set(above.map((pack) => pack.pack.name));
  return [...above, ...below.filter((pack) => !names.has(pack.pack.name))];
}

/** Says in one sentence which facts leave it open whether a pack speaks for a subject. */
export function explainUndecided(pack: LoadedPack, subject: PackSubject): string {
  const { match, name } = pack.pack;
  const open = [
    match.driverPrefixes !== undefined && isOpen(subject.driverPrefix) ? "the driver prefix" : undefined,
    match.pciVendors !== undefined && isOpen(subject.pciIds) ? "the PCI vendor" : undefined,
    match.modules !== undefined && subject.module?.kind !== "known" ? "the kernel module" : undefined,
    match.deviceApis !== undefined && isOpen(subject.deviceApi) ? "device_api" : undefined,
  ].filter((part) => part !== undefined);
  return `Whether pack ${name} applies is not known: ${open.join(", ")} could not be read`;
}

function isOpen(reading: Reading<unknown> | undefined): boolean {
  return reading === undefined || reading.kind === "unreadable";
}

function askMatch(match: PackMatch, subject: PackSubject): readonly Matched[] {
  return [
    askField(match.driverPrefixes, subject.driverPrefix, (prefix) => prefix),
    askField(match.pciVendors, subject.pciIds, (ids) => ids.vendor),
    askField(match.modules, subject.module?.kind === "absent" ? undefined : subject.module, (module) => module),
    askField(match.deviceApis, subject.deviceApi, (api) => api),
  ].filter((answer) => answer !== undefined);
}

function askField<T>(
  wanted: readonly string[] | undefined,
  reading: Reading<T> | undefined,
  text: (value: T) => string,
): Matched | undefined {
  if (wanted === undefined) return undefined;
  if (reading === undefined || reading.kind === "unreadable") return "unknown";
  if (reading.kind === "absent") return "no";
  return wanted.includes(text(reading.value)) ? "yes" : "no";
}
