// SPDX-License-Identifier: Apache-2.0

import { absent, known, unreadable, valueOf, type Evidence, type Reading } from "../device/evidence.ts";
import type { HostSnapshot } from "../device/host-snapshot.ts";
import type { MdevType, MigrationAttributes, TypeId } from "../device/mdev-type.ts";
import type { MigrationProfile, Subject } from "../device/migration-profile.ts";
import type { ModuleBuild } from "../device/module-build.ts";
import type { ParentDevice } from "../device/parent-device.ts";
import type { PciFunction, PciIds } from "../device/pci-function.ts";
import type { Aggregation, MigrationFeatures, VfioDevice } from "../device/vfio-device.ts";
import type { Policy } from "../compatibility/policy.ts";
import { findDeclaredType, mergeFacts } from "./declarations.ts";

/** Names under which drivers exposed the number of units of one device (section 2.4). */
const AGGREGATION_NAMES = ["aggregator", "aggregation", "aggregated_instances", "mdev/aggregated_instances"];

/** The profile of a device that exists, or undefined where the host shows no such device. */
export function profileOfDevice(snapshot: HostSnapshot, id: string, policy: Policy): MigrationProfile | undefined {
  const device = snapshot.devices.find((candidate) => candidate.id === id);
  if (device === undefined) return undefined;
  const parent = snapshot.parents.find((candidate) => candidate.id === device.parent);
  const type = findTypeOf(parent, device);
  const base = baseProfile(snapshot, {
    subject: { kind: "device", host: snapshot.host, parent: device.parent, id: device.id },
    parent,
    type,
    address: parent?.pci ?? (device.kind === "mdev" ? undefined : device.parent),
    path: device.path,
    ...(device.kind === "mdev" ? { untyped: unlisted(snapshot, device) } : {}),
    policy,
    facts: [device.facts, parent?.facts ?? {}],
  });
  const isUndeclared = device.type.kind === "absent" && device.kind !== "mdev";
  const typeId = isUndeclared ? findDeclaredType(snapshot, device.parent, policy) : device.type;
  return {
    ...base,
    framework: device.kind,
    vendorDriver: prefixOf(typeId, type),
    deviceApi: device.deviceApi,
    type: typeId,
    attributes: { ...base.attributes, ...deviceAttributes(device, base.attributes) },
    module: base.module.kind === "known" ? base.module : moduleNamed(snapshot, device.driver, device.path),
    aggregation: device.aggregation,
    dynamicValues: device.dynamicValues,
    features: device.features,
    ...(device.ap === undefined ? {} : { ap: device.ap }),
    ...apTakenBeside(snapshot, device.id),
  };
}

/** The profile of a device of that type as it would be created on that parent; undefined where it is not offered. */
export function profileOfType(
  snapshot: HostSnapshot,
  place: { readonly parent: string; readonly type: string },
  policy: Policy,
): MigrationProfile | undefined {
  const parent = snapshot.parents.find((candidate) => candidate.id === place.parent);
  const type = parent?.types.find((candidate) => candidate.id === place.type);
  if (parent === undefined || type === undefined) return undefined;
  const base = baseProfile(snapshot, {
    subject: { kind: "type", host: snapshot.host, parent: parent.id, id: type.id },
    parent,
    type,
    address: parent.pci,
    path: parent.path,
    policy,
    facts: [parent.facts],
  });
  const evidence = typeEvidence(snapshot, parent, type);
  return {
    ...base,
    framework: parent.framework,
    vendorDriver: known(type.driverPrefix, evidence),
    deviceApi: type.deviceApi,
    type: known(type.id, evidence),
    aggregation: aggregationAtType(type, evidence),
    dynamicValues: {},
    features: featuresOfSibling(snapshot, parent, type),
    ...apTakenBeside(snapshot, undefined),
  };
}

interface Basis {
  readonly subject: Subject;
  readonly parent: ParentDevice | undefined;
  readonly type: MdevType | undefined;
  readonly address: string | undefined;
  readonly path: string;
  /** What every attribute of a type is where none was found; absent unless said. */
  readonly untyped?: Reading<never>;
  readonly policy: Policy;
  /** Nearest first. */
  readonly facts: readonly Readonly<Record<string, Reading<string>>>[];
}

/** The part of a profile that a device and a type have in common. */
function baseProfile(
  snapshot: HostSnapshot,
  basis: Basis,
): Omit<
  MigrationProfile,
  "framework" | "vendorDriver" | "deviceApi" | "type" | "aggregation" | "dynamicValues" | "features"
> {
  const { parent, policy } = basis;
  const pci = snapshot.functions.find((candidate) => candidate.address === basis.address);
  const nowhere = absent({ host: snapshot.host, source: "sysfs", path: basis.path });
  const facts = mergeFacts(basis.subject, [...basis.facts, snapshot.facts, { os: snapshot.os }], policy);
  return {
    subject: basis.subject,
    attributes: basis.type?.attributes ?? noAttributes(basis.untyped ?? nowhere),
    module: moduleNamed(snapshot, parent?.module ?? pci?.module ?? nowhere, basis.path),
    kernel: snapshot.kernel,
    firmware: Object.hasOwn(facts, "firmware") ? (facts["firmware"] ?? nowhere) : nowhere,
    pciIds: idsOf(pci, nowhere),
    ...(snapshot.apBus === undefined ? {} : { apBus: snapshot.apBus }),
    ...(parent?.subchannel === undefined ? {} : { subchannel: parent.subchannel }),
    facts,
  };
}

function findTypeOf(parent: ParentDevice | undefined, device: VfioDevice): MdevType | undefined {
  if (device.type.kind !== "known") return undefined;
  const id = device.type.value;
  return parent?.types.find((candidate) => candidate.id === id);
}

/** A running device's own word on its version stands above its type's (R4: some drivers negotiate it). */
function deviceAttributes(device: VfioDevice, type: MigrationAttributes): Partial<MigrationAttributes> {
  return {
    softwareVersion:
      device.attributes.softwareVersion.kind === "absent" ? type.softwareVersion : device.attributes.softwareVersion,
    migrationVersion:
      device.attributes.migrationVersion.kind === "absent" ? type.migrationVersion : device.attributes.migrationVersion,
  };
}

function prefixOf(typeId: Reading<TypeId>, type: MdevType | undefined): Reading<string> {
  if (typeId.kind !== "known") return typeId;
  return known(type?.driverPrefix ?? typeId.value.split("-", 1)[0] ?? typeId.value, typeId.evidence);
}

function typeEvidence(snapshot: HostSnapshot, parent: ParentDevice, type: MdevType): Evidence {
  if (parent.framework === "vendor-vfio") return { ...type.name.evidence, text: type.id };
  const path = `${parent.path}/mdev_supported_types/${type.id}`;
  return { host: snapshot.host, source: "sysfs", path, text: type.id };
}

/** At a type one plain create makes one unit; more can be claimed where the driver says how. */
function aggregationAtType(type: MdevType, evidence: Evidence): Reading<Aggregation> {
  if (type.maxAggregation.kind === "unreadable") return type.maxAggregation;
  const listed = type.attributes.dynamicResources;
  const attribute = listed.kind === "known" ? listed.value.find((name) => AGGREGATION_NAMES.includes(name)) : undefined;
  const named = attribute === undefined ? {} : { attribute };
  if (type.maxAggregation.kind === "known") {
    const max = type.maxAggregation.value;
    return known({ count: 1, settable: max > 1, max, ...named }, type.maxAggregation.evidence);
  }
  const settable = attribute !== undefined;
  return known({ count: 1, settable, ...named }, settable ? listed.evidence : { ...evidence, source: "inferred" });
}

/**
 * A type has no migration features of its own; a device of the same type has the same driver's. One on the same parent
 * goes first, then any on hardware of the same PCI ids under the same driver: other hardware proves nothing.
 */
function featuresOfSibling(snapshot: HostSnapshot, parent: ParentDevice, type: MdevType): Reading<MigrationFeatures> {
  const siblings = snapshot.devices.filter(
    (device) => device.features.kind === "known" && device.type.kind === "known" && device.type.value === type.id,
  );
  const own = hardwareOf(snapshot, parent.id);
  const kin =
    siblings.find((device) => device.parent === parent.id) ??
    siblings.find((device) => own !== undefined && hardwareOf(snapshot, device.parent) === own);
  return (
    kin?.features ??
    absent({
      host: snapshot.host,
      source: "debugfs",
      path: `/sys/kernel/debug/vfio (no device of ${type.id} on ${parent.id})`,
    })
  );
}

/** Framework, driver, module and PCI ids of a parent, as a text that like parents share; undefined where one is not read. */
function hardwareOf(snapshot: HostSnapshot, id: string): string | undefined {
  const parent = snapshot.parents.find((candidate) => candidate.id === id);
  if (parent === undefined) return undefined;
  const ids = snapshot.functions.find((candidate) => candidate.address === parent.pci)?.ids;
  const parts: readonly (Reading<unknown> | undefined)[] = [parent.driver, parent.module, ids];
  if (parts.some((part) => part?.kind === "unreadable")) return undefined;
  return JSON.stringify([parent.framework, ...parts.map((part) => part && valueOf(part))]);
}

function moduleNamed(snapshot: HostSnapshot, name: Reading<string>, path: string): Reading<ModuleBuild> {
  if (name.kind !== "known") return name;
  const build = snapshot.modules.find((candidate) => candidate.name === name.value);
  const evidence: Evidence = { host: snapshot.host, source: "sysfs", path: `/sys/module/${name.value}` };
  return build === undefined
    ? absent({ ...evidence, path: `${evidence.path} (for ${path})` })
    : known(build, { ...evidence, text: build.name });
}

function idsOf(pci: PciFunction | undefined, nowhere: Reading<never>): Reading<PciIds> {
  return pci?.ids ?? nowhere;
}

/** Undefined, which is "not known", as soon as one of the other devices does not say what it holds. */
function apTakenBeside(snapshot: HostSnapshot, except: string | undefined): Pick<MigrationProfile, "apTaken"> {
  if (snapshot.apBus === undefined) return {};
  const taken: string[] = [];
  for (const { id, ap } of snapshot.devices) {
    if (id === except || ap === undefined) continue;
    if (ap.matrix.kind !== "known") return {};
    taken.push(...ap.matrix.value.map(({ adapter, domain }) => `${hex(adapter, 2)}.${hex(domain, 4)}`));
  }
  return { apTaken: taken.toSorted() };
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

/** An mdev device has a type, which its parent lists: where it does not, the type's attributes were not read. */
function unlisted(snapshot: HostSnapshot, device: VfioDevice): Reading<never> {
  const evidence: Evidence = { host: snapshot.host, source: "sysfs", path: `${device.path}/mdev_type` };
  return unreadable("the host does not list the device's type under its parent", evidence);
}

function noAttributes(reading: Reading<never>): MigrationAttributes {
  const nothing: Reading<never> = { ...reading, evidence: { ...reading.evidence, source: "interface" } };
  return {
    softwareVersion: nothing,
    compatibleTypes: nothing,
    compatible: {},
    dynamicResources: nothing,
    migrationVersion: nothing,
  };
}
