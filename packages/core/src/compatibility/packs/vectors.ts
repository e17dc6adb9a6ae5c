// SPDX-License-Identifier: Apache-2.0

import type { Evidence, Reading } from "../../device/evidence.ts";
import { absent, known, unreadable } from "../../device/evidence.ts";
import { parseDeviceApi } from "../../device/device-api.ts";
import { parseTypeId } from "../../device/mdev-type.ts";
import type { MigrationProfile } from "../../device/migration-profile.ts";
import { formatSoftwareVersion, parseSoftwareVersion } from "../../device/software-version.ts";
import { NO_MEMORY } from "../pair.ts";
import { STRICT_POLICY } from "../policy.ts";
import { checkPacks } from "./check-packs.ts";
import { findMigrationStatement, findStreamVersion } from "./find-statements.ts";
import type { DriverPack, LoadedPack } from "./pack.ts";

/** Test vectors of one pack: the document beside it. */
export interface PackVectors {
  readonly vectors: "berth.pack-vectors/v1";
  /** Name of the pack. */
  readonly pack: string;
  readonly cases: readonly PackVector[];
}

/** One case: named facts at both ends and what the pack must say. */
export interface PackVector {
  readonly name: string;
  /** Facts by name; well-known names and `driver_prefix` fill the fields of the profile. */
  readonly source: Readonly<Record<string, string>>;
  readonly destination: Readonly<Record<string, string>>;
  /** `not-matched`: the pack has nothing to do with this pair. */
  readonly expected?: "compatible" | "incompatible" | "undetermined" | "not-matched";
  /** Codes of the reasons, or, for `undetermined`, of what is missing; sorted. */
  readonly codes?: readonly string[];
  /** What the pack says about migration of the source at all. */
  readonly migration?: "supported" | "unsupported" | "unknown";
  /** What the pack states as the source's stream version: the version, `none` or `unknown`. */
  readonly streamVersion?: string;
}

/** One expectation that was not met. */
export interface VectorFailure {
  readonly name: string;
  readonly what: "expected" | "codes" | "migration" | "streamVersion";
  readonly expected: string;
  readonly found: string;
}

/** Runs all cases of a pack and lists what was not met; an empty list is success. */
export function runVectors(pack: DriverPack, vectors: PackVectors): readonly VectorFailure[] {
  return vectors.cases.flatMap((vector) => runVector({ pack, digest: "sha256:vectors" }, vector));
}

function runVector(pack: LoadedPack, vector: PackVector): readonly VectorFailure[] {
  const source = profileFromFacts("source", vector.source);
  const answer = answerOf(pack, source, profileFromFacts("destination", vector.destination));
  const found: Readonly<Record<VectorFailure["what"], string>> = {
    expected: answer.kind,
    codes: answer.codes.join(" "),
    migration: sayMigration(source, pack),
    streamVersion: sayVersion(source, pack),
  };
  const expected: Readonly<Record<VectorFailure["what"], string | undefined>> = {
    expected: vector.expected,
    codes: vector.codes?.join(" "),
    migration: vector.migration,
    streamVersion: vector.streamVersion,
  };
  return (["expected", "codes", "migration", "streamVersion"] as const).flatMap((what) => {
    const wanted = expected[what];
    return wanted === undefined || wanted === found[what]
      ? []
      : [{ name: vector.name, what, expected: wanted, found: found[what] }];
  });
}

/** What R11 says of a case, as a verdict would put it: one reason is enough for a no. */
function answerOf(
  pack: LoadedPack,
  source: MigrationProfile,
  destination: MigrationProfile,
): { readonly kind: string; readonly codes: readonly string[] } {
  const asked = { source, destination, policy: STRICT_POLICY, packs: [pack], memory: NO_MEMORY };
  const { findings, packs } = checkPacks(asked);
  if (packs.length === 0) return { kind: "not-matched", codes: [] };
  if (findings.reasons.length > 0) return { kind: "incompatible", codes: sortedCodes(findings.reasons) };
  if (findings.missing.length > 0) return { kind: "undetermined", codes: sortedCodes(findings.missing) };
  return { kind: "compatible", codes: [] };
}

function sortedCodes(items: readonly { readonly code: string }[]): readonly string[] {
  return items.map((item) => item.code).sort();
}

function sayMigration(profile: MigrationProfile, pack: LoadedPack): string {
  const found = findMigrationStatement(profile, [pack]);
  if (found.kind === "unknown") return "unknown";
  return found.statement.supported ? "supported" : "unsupported";
}

function sayVersion(profile: MigrationProfile, pack: LoadedPack): string {
  const found = findStreamVersion(profile, [pack]);
  return found.kind === "version" ? formatSoftwareVersion(found.version) : found.kind;
}

/**
 * Makes a profile of nothing but named facts, for vectors. Well-known names fill the profile's own fields, so that they
 * are read from there; `driver_prefix` is the vendor driver, by default the part of `type` before the first `-`.
 */
export function profileFromFacts(host: string, facts: Readonly<Record<string, string>>): MigrationProfile {
  const at = (name: string): Evidence => ({ host, source: "declaration", path: `vector ${name}` });
  const read = (name: string): Reading<string> => readText(facts, name, at(name));
  const nothing = absent(at("nothing"));
  const type = parseReading(read("type"), parseTypeId);
  return {
    subject: { kind: "device", host, parent: "parent", id: "device" },
    framework: "mdev",
    vendorDriver: driverOf(facts, read),
    deviceApi: parseReading(read("device_api"), parseDeviceApi),
    type,
    attributes: {
      softwareVersion: parseReading(read("software_version"), parseSoftwareVersion),
      compatibleTypes: nothing,
      compatible: {},
      dynamicResources: nothing,
      migrationVersion: nothing,
    },
    module: moduleOf(facts, read),
    kernel: { release: read("kernel_release"), version: nothing },
    firmware: read("firmware"),
    pciIds: pciIdsOf(facts, at("pci_vendor")),
    aggregation: nothing,
    dynamicValues: {},
    features: nothing,
    facts: Object.fromEntries(
      Object.entries(facts).map(([name, value]) => [name, known(value, { ...at(name), text: value })]),
    ),
  };
}

function readText(facts: Readonly<Record<string, string>>, name: string, evidence: Evidence): Reading<string> {
  const text = Object.hasOwn(facts, name) ? facts[name] : undefined;
  return text === undefined ? absent(evidence) : known(text, { ...evidence, text });
}

function parseReading<T>(reading: Reading<string>, parse: (text: string) => T): Reading<T> {
  if (reading.kind !== "known") return reading;
  try {
    return known(parse(reading.value), reading.evidence);
  } catch (error) {
    return unreadable(error instanceof Error ? error.message : "malformed", reading.evidence);
  }
}

/** The driver prefix as given, or the type's. */
function driverOf(facts: Readonly<Record<string, string>>, read: (name: string) => Reading<string>): Reading<string> {
  if (Object.hasOwn(facts, "driver_prefix")) return read("driver_prefix");
  const type = read("type");
  return type.kind === "known" ? known(type.value.split("-")[0] ?? "", type.evidence) : type;
}

/** A module build, where the case names any mark of one. */
function moduleOf(
  facts: Readonly<Record<string, string>>,
  read: (name: string) => Reading<string>,
): MigrationProfile["module"] {
  const name = read("driver_module");
  const given = ["driver_module", "module_version", "module_srcversion"].some((fact) => Object.hasOwn(facts, fact));
  if (!given) return absent(name.evidence);
  const nothing = absent(name.evidence);
  const build = {
    name: name.kind === "known" ? name.value : "module",
    version: read("module_version"),
    srcversion: read("module_srcversion"),
    buildId: nothing,
    taint: nothing,
  };
  return known(build, name.evidence);
}

/** PCI ids, where the case names a vendor; without one the end is off the PCI bus. */
function pciIdsOf(facts: Readonly<Record<string, string>>, evidence: Evidence): MigrationProfile["pciIds"] {
  const vendor = Object.hasOwn(facts, "pci_vendor") ? facts["pci_vendor"] : undefined;
  if (vendor === undefined) return absent(evidence);
  const ids = {
    vendor,
    device: facts["pci_device"] ?? "0000",
    subsystemVendor: facts["pci_subsystem_vendor"] ?? "0000",
    subsystemDevice: facts["pci_subsystem_device"] ?? "0000",
  };
  return known(ids, evidence);
}
