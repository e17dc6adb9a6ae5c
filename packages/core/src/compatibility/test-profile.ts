// SPDX-License-Identifier: Apache-2.0

import type { ApBus, ApMatrix, ApQueue, Apqn } from "../device/ap-matrix.ts";
import { parseDeviceApi, type DeviceApi } from "../device/device-api.ts";
import { absent, known, unreadable, type Evidence, type Reading } from "../device/evidence.ts";
import { parseTypeId } from "../device/mdev-type.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import type { ModuleBuild } from "../device/module-build.ts";
import type { Subchannel } from "../device/parent-device.ts";
import type { PciIds } from "../device/pci-function.ts";
import { parseSoftwareVersion } from "../device/software-version.ts";
import type { Aggregation, MigrationFeatures } from "../device/vfio-device.ts";
import { NO_MEMORY, type Pair } from "./pair.ts";
import { STRICT_POLICY } from "./policy.ts";
import type { Findings, Verdict } from "./verdict.ts";

/**
 * A profile in a test: what it says differs from an NVIDIA vGPU of type `nvidia-231`, whose drivers export none of the
 * proposed attributes. `undefined` means absent; a malformed `softwareVersion` is unreadable, as a reader would find it.
 */
export interface ProfileParts {
  readonly host?: string;
  readonly parent?: string;
  readonly id?: string;
  readonly subject?: "device" | "type";
  readonly framework?: MigrationProfile["framework"];
  readonly type?: string | undefined;
  readonly vendorDriver?: string | undefined;
  readonly deviceApi?: DeviceApi | undefined;
  readonly softwareVersion?: string | undefined;
  readonly migrationVersion?: string | undefined;
  readonly compatibleTypes?: readonly string[] | undefined;
  readonly compatible?: Readonly<Record<string, readonly string[]>>;
  readonly dynamicResources?: readonly string[] | undefined;
  readonly dynamicValues?: Readonly<Record<string, string>>;
  readonly aggregation?: Partial<Aggregation> | undefined;
  readonly module?: string | undefined;
  readonly srcversion?: string | undefined;
  readonly buildId?: string | undefined;
  readonly kernelRelease?: string | undefined;
  readonly kernelVersion?: string | undefined;
  readonly firmware?: string | undefined;
  readonly pciIds?: PciIds | undefined;
  readonly features?: Partial<MigrationFeatures> | undefined;
  readonly facts?: Readonly<Record<string, string>>;
  readonly ap?: ApMatrix;
  readonly apBus?: ApBus;
  readonly apTaken?: readonly string[];
  readonly subchannel?: Subchannel;
}

const DEFAULTS = {
  host: "a",
  parent: "0000:00:10.0",
  id: "aaaaaaaa-0000-4000-8000-000000000001",
  subject: "device",
  framework: "mdev",
  type: "nvidia-231",
  deviceApi: "vfio-pci",
  aggregation: {},
  module: "vgpu",
  srcversion: "E1739203163186A51FFA353",
  kernelRelease: "6.12.107+deb13-amd64",
  kernelVersion: "Linux version 6.12.107+deb13-amd64 (debian-kernel) #1 SMP Debian 6.12.107-1",
  pciIds: { vendor: "10de", device: "25b6", subsystemVendor: "10de", subsystemDevice: "157e" },
} satisfies ProfileParts;

/** Makes a profile for a test; see ProfileParts. */
export function profile(parts: ProfileParts = {}): MigrationProfile {
  const all = { ...DEFAULTS, ...parts };
  const at = (path: string): Evidence => ({ host: all.host, source: "sysfs", path: `/sys/test/${path}` });
  const read = <T>(path: string, value: T | undefined): Reading<T> =>
    value === undefined ? absent(at(path)) : known(value, { ...at(path), text: String(value) });
  const { host, parent, id } = all;
  const prefix = Object.hasOwn(parts, "vendorDriver") ? parts.vendorDriver : all.type?.split("-", 1)[0];
  return {
    subject:
      all.subject === "type"
        ? { kind: "type", host, parent, id: all.type ?? "none" }
        : { kind: "device", host, parent, id },
    framework: all.framework,
    vendorDriver: read("type", prefix),
    deviceApi: read("device_api", all.deviceApi === undefined ? undefined : parseDeviceApi(all.deviceApi)),
    type: read("type", all.type === undefined ? undefined : parseTypeId(all.type)),
    attributes: {
      softwareVersion: readVersion(all.softwareVersion, at("software_version")),
      compatibleTypes: read("compatible_type", all.compatibleTypes),
      compatible: mapValues(all.compatible ?? {}, (value, field) =>
        known(value, { ...at(`compatible_${field}`), text: value.join(",") }),
      ),
      dynamicResources: read("dynamic_resources", all.dynamicResources),
      migrationVersion: read("migration_version", all.migrationVersion),
    },
    module: read("module", all.module === undefined ? undefined : moduleOf(all.module, all, read)),
    kernel: { release: read("release", all.kernelRelease), version: read("version", all.kernelVersion) },
    firmware: read("firmware", all.firmware),
    pciIds: read("pci_ids", all.pciIds),
    aggregation: read(
      "aggregation",
      all.aggregation === undefined ? undefined : { count: 1, settable: false, ...all.aggregation },
    ),
    dynamicValues: mapValues(all.dynamicValues ?? {}, (value, name) => known(value, { ...at(name), text: value })),
    features: read("features", all.features === undefined ? undefined : { ...FEATURES, ...all.features }),
    facts: mapValues(all.facts ?? {}, (value, name) =>
      known(value, { host, source: "script", path: `fact ${name}`, text: value }),
    ),
    ...(all.ap === undefined ? {} : { ap: all.ap }),
    ...(all.apBus === undefined ? {} : { apBus: all.apBus }),
    ...(all.apTaken === undefined ? {} : { apTaken: all.apTaken }),
    ...(all.subchannel === undefined ? {} : { subchannel: all.subchannel }),
  };
}

const FEATURES: MigrationFeatures = { stopCopy: true, p2p: true, preCopy: true, dirtyTracking: true };

function readVersion(text: string | undefined, evidence: Evidence): MigrationProfile["attributes"]["softwareVersion"] {
  if (text === undefined) return absent(evidence);
  try {
    return known(parseSoftwareVersion(text), { ...evidence, text });
  } catch (error) {
    return unreadable(String(error), { ...evidence, text });
  }
}

function moduleOf(
  name: string,
  all: ProfileParts,
  read: (path: string, value: string | undefined) => Reading<string>,
): ModuleBuild {
  return {
    name,
    version: read("version", undefined),
    srcversion: read("srcversion", all.srcversion),
    buildId: read("build-id", all.buildId),
    taint: read("taint", undefined),
  };
}

function mapValues<T, U>(
  record: Readonly<Record<string, T>>,
  change: (value: T, name: string) => U,
): Readonly<Record<string, U>> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value, name)]));
}

/** A known reading on a host, for parts of a profile that `profile` does not build. */
export function reading<T>(value: T, host = "a"): Reading<T> {
  return known(value, { host, source: "sysfs", path: "/sys/test/reading", text: String(value) });
}

/** An absent reading on a host. */
export function nothing(host = "a"): Reading<never> {
  return absent({ host, source: "sysfs", path: "/sys/test/nothing" });
}

/** Reads `01.0005 01.0006` into AP queue numbers. */
export function apqns(text: string): readonly Apqn[] {
  return text
    .split(" ")
    .filter((item) => item !== "")
    .map((item) => {
      const [adapter = "", domain = ""] = item.split(".");
      return { adapter: Number.parseInt(adapter, 16), domain: Number.parseInt(domain, 16) };
    });
}

/** An AP matrix that a guest sees as it was assigned. */
export function apMatrix(queues: string, controlDomains: readonly number[] = []): ApMatrix {
  const matrix = reading(apqns(queues));
  return { matrix, guestMatrix: matrix, controlDomains: reading(controlDomains), apConfig: nothing() };
}

/** An AP bus whose queues are all of one card, bound to vfio_ap, with nothing reserved to the host. */
export function apBus(queues: string, card = "CEX7C", parts: Partial<ApBus & ApQueue> = {}): ApBus {
  const generation = Number(/\d+/.exec(card)?.[0] ?? 0) + 6;
  return {
    queues: apqns(queues).map((apqn) => ({
      apqn,
      driver: parts.driver ?? reading("vfio_ap"),
      hardwareType: parts.hardwareType ?? reading(generation),
      cardType: parts.cardType ?? reading(card),
      functions: parts.functions ?? reading("0x92800000"),
    })),
    controlDomains: parts.controlDomains ?? reading([5, 6]),
    maxAdapterId: reading(63),
    maxDomainId: reading(84),
    hostAdapters: parts.hostAdapters ?? reading([]),
    hostDomains: parts.hostDomains ?? reading([]),
    features: parts.features ?? nothing(),
  };
}

/** A pair under the strict policy, without packs and memory. */
export function pairOf(source: MigrationProfile, destination: MigrationProfile, parts: Partial<Pair> = {}): Pair {
  return { source, destination, policy: STRICT_POLICY, packs: [], memory: NO_MEMORY, ...parts };
}

/** What was found, one short line for each item: `no CODE`, `missing CODE`, `rests CODE (confidence)`, `claim A=V`, `note CODE`. */
export function linesOf(found: Partial<Findings> | Verdict): readonly string[] {
  const { reasons = [], missing = [], restsOn = [], claims = [], notes = [] } = found as Partial<Findings>;
  return [
    ...reasons.map(({ code }) => `no ${code}`),
    ...missing.map(({ code }) => `missing ${code}`),
    ...restsOn.map(({ code, confidence }) => `rests ${code} (${confidence})`),
    ...claims.map(({ attribute, value }) => `claim ${attribute}=${value}`),
    ...notes.map(({ code }) => `note ${code}`),
  ];
}
