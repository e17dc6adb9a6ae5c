// SPDX-License-Identifier: Apache-2.0

import { parseDeviceApi } from "../device/device-api.ts";
import type { Reading } from "../device/evidence.ts";
import { known } from "../device/evidence.ts";
import type { MigrationAttributes } from "../device/mdev-type.ts";
import { parseTypeId } from "../device/mdev-type.ts";
import type { MigrationProfile, Subject } from "../device/migration-profile.ts";
import type { ModuleBuild } from "../device/module-build.ts";
import type { PciIds } from "../device/pci-function.ts";
import { formatSoftwareVersion, parseSoftwareVersion } from "../device/software-version.ts";
import type { Aggregation, MigrationFeatures } from "../device/vfio-device.ts";
import type { DocumentKind } from "./parse-document.ts";
import { requireDocument } from "./parse-document.ts";
import { PROFILE_SCHEMA } from "./profile-json-schema.ts";
import type { ProfilePart } from "./profile-readings.ts";
import { compactObject, formatReading, readKey, readPart, readTextKey, valueAt } from "./profile-readings.ts";
import {
  formatApBus,
  formatApMatrix,
  formatSubchannel,
  readApBus,
  readApMatrix,
  readSubchannel,
} from "./profile-s390.ts";

const PROFILE: DocumentKind = {
  noun: "migration profile",
  schema: PROFILE_SCHEMA,
  formatKey: "profile",
  format: "berth.profile/v1",
  malformed: "profile_malformed",
  unsupportedVersion: "profile_unsupported_version",
};

/**
 * Reads a migration profile file. A key that is left out is an absent fact; a text that does not parse, such as a version
 * `1.x`, is an unreadable one, for the rules to judge; a wrong JSON type or an unknown key is an error. `driver` is by
 * default the part of `type` before its first `-`. Throws BerthError `profile_malformed` or `profile_unsupported_version`.
 */
export function parseProfileDocument(value: unknown, place: string): MigrationProfile {
  requireDocument(PROFILE, value, place);
  const values = value as Readonly<Record<string, unknown>> &
    Subject &
    Pick<Partial<MigrationProfile>, "framework" | "apTaken">;
  const { kind, host, parent, id } = values;
  const part: ProfilePart = { host, place, pointer: "", values };
  const kernel = readPart(part, "kernel");
  return {
    subject: { kind, host, parent, id },
    framework: values.framework ?? "mdev",
    vendorDriver: readDriver(part),
    deviceApi: readKey(part, "deviceApi", parseDeviceApi),
    type: readKey(part, "type", parseTypeId),
    attributes: readAttributes(part),
    module: readModule(part),
    kernel: { release: readTextKey(kernel, "release"), version: readTextKey(kernel, "version") },
    firmware: readTextKey(part, "firmware"),
    pciIds: readKey(part, "pciIds", (ids: PciIds) => ids),
    aggregation: readKey(part, "aggregation", readAggregation),
    dynamicValues: readDynamicValues(part),
    features: readKey(part, "features", (features: MigrationFeatures) => features),
    facts: readMap(readPart(part, "facts"), (facts, name) => readKey(facts, name, String)),
    ...(values.apTaken && { apTaken: values.apTaken }),
    ...(Object.hasOwn(values, "ap") && { ap: readApMatrix(readPart(part, "ap")) }),
    ...(Object.hasOwn(values, "apBus") && { apBus: readApBus(readPart(part, "apBus")) }),
    ...(Object.hasOwn(values, "subchannel") && { subchannel: readSubchannel(readPart(part, "subchannel")) }),
  };
}

/** Writes a profile as a document that parseProfileDocument reads back to the same facts; evidence is not kept. */
export function formatProfileDocument(profile: MigrationProfile): unknown {
  const { subject, attributes } = profile;
  return compactObject({
    profile: "berth.profile/v1",
    host: subject.host,
    kind: subject.kind,
    parent: subject.parent,
    id: subject.id,
    framework: profile.framework,
    driver: formatReading(profile.vendorDriver),
    deviceApi: formatReading(profile.deviceApi),
    type: formatReading(profile.type),
    softwareVersion: formatReading(attributes.softwareVersion, formatSoftwareVersion),
    compatibleTypes: formatReading(attributes.compatibleTypes),
    compatible: formatMap(attributes.compatible),
    dynamicResources: formatDynamicResources(profile),
    migrationVersion: formatReading(attributes.migrationVersion),
    module: formatReading(profile.module, formatModule),
    kernel: formatMap({ release: profile.kernel.release, version: profile.kernel.version }),
    firmware: formatReading(profile.firmware),
    pciIds: formatReading(profile.pciIds),
    aggregation: formatReading(profile.aggregation),
    ap: profile.ap && formatApMatrix(profile.ap),
    apBus: profile.apBus && formatApBus(profile.apBus),
    apTaken: profile.apTaken,
    subchannel: profile.subchannel && formatSubchannel(profile.subchannel),
    features: formatReading(profile.features),
    facts: formatMap(profile.facts),
  });
}

/** The driver as given, or inferred: a type id begins with its driver's name (mdev core). */
function readDriver(part: ProfilePart): Reading<string> {
  const given = readTextKey(part, "driver");
  const type = readTextKey(part, "type");
  const prefix = type.kind === "known" ? /^([^-]+)-/.exec(type.value)?.[1] : undefined;
  if (given.kind !== "absent" || prefix === undefined) return given;
  return known(prefix, { ...type.evidence, source: "inferred" });
}

/** The attributes of seed 002, under their camel-case names. */
function readAttributes(part: ProfilePart): MigrationAttributes {
  return {
    softwareVersion: readKey(part, "softwareVersion", parseSoftwareVersion),
    compatibleTypes: readKey(part, "compatibleTypes", listOfTexts),
    compatible: readMap(readPart(part, "compatible"), (fields, name) => readKey(fields, name, listOfTexts)),
    dynamicResources: readKey(part, "dynamicResources", namesOf),
    migrationVersion: readTextKey(part, "migrationVersion"),
  };
}

/** A module's name is needed to speak of a build; each of its marks may be absent. */
function readModule(part: ProfilePart): Reading<ModuleBuild> {
  const inner = readPart(part, "module");
  return readKey(part, "module", ({ name }: { readonly name: string }) => ({
    name,
    version: readTextKey(inner, "version"),
    srcversion: readTextKey(inner, "srcversion"),
    buildId: readTextKey(inner, "buildId"),
    taint: readTextKey(inner, "taint"),
  }));
}

function readAggregation(aggregation: Partial<Aggregation> & Pick<Aggregation, "count">): Aggregation {
  return { ...aggregation, settable: aggregation.settable ?? false };
}

/** A list of `{ name, value }`, or an object of name to value, whose order counts. */
type ResourceList = readonly { readonly name: string; readonly value?: unknown }[];

function namesOf(resources: ResourceList | Readonly<Record<string, unknown>>): readonly string[] {
  return isResourceList(resources) ? resources.map((resource) => resource.name) : Object.keys(resources);
}

function isResourceList(resources: ResourceList | Readonly<Record<string, unknown>>): resources is ResourceList {
  return Array.isArray(resources);
}

/** At a device a listed resource without a value is absent; at a type there are no values to be absent. */
function readDynamicValues(part: ProfilePart): MigrationProfile["dynamicValues"] {
  const list = valueAt(part, "dynamicResources");
  const inner = readPart(part, "dynamicResources");
  const entries: (readonly [string, Reading<string>])[] = [];
  if (Array.isArray(list)) {
    for (const [index, { name }] of (list as ResourceList).entries()) {
      const item = readPart(inner, String(index));
      entries.push([name, readKey(item, "value", String)]);
    }
  } else if (readKey(part, "dynamicResources", namesOf).kind === "known") {
    for (const name of Object.keys(inner.values)) entries.push([name, readKey(inner, name, String)]);
  }
  const isType = valueAt(part, "kind") === "type";
  return Object.fromEntries(entries.filter(([, reading]) => !(isType && reading.kind === "absent")));
}

/** Names in the order in which they are claimed, each with the value of this end where it has one. */
function formatDynamicResources(profile: MigrationProfile): unknown {
  return formatReading(profile.attributes.dynamicResources, (names) =>
    names.map((name) => {
      const value = Object.hasOwn(profile.dynamicValues, name) ? profile.dynamicValues[name] : undefined;
      return compactObject({ name, value: value && formatReading(value) });
    }),
  );
}

function formatModule(module: ModuleBuild): unknown {
  const { name, version, srcversion, buildId, taint } = module;
  return { name, ...formatMap({ version, srcversion, buildId, taint }) };
}

/** Reads all keys of an object that is a map. */
function readMap<T>(part: ProfilePart, read: (part: ProfilePart, name: string) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.keys(part.values).map((name) => [name, read(part, name)]));
}

/** Writes facts by name; undefined where none is there. Absent facts are left out. */
function formatMap(
  readings: Readonly<Record<string, Reading<unknown>>>,
): Readonly<Record<string, unknown>> | undefined {
  const written = compactObject(
    Object.fromEntries(Object.entries(readings).map(([name, reading]) => [name, formatReading(reading)])),
  );
  return Object.keys(written).length === 0 ? undefined : written;
}

function listOfTexts(texts: readonly string[]): readonly string[] {
  return texts;
}
