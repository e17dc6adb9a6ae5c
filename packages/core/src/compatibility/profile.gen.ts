// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import type { ApBus, ApMatrix, ApQueue } from "../device/ap-matrix.ts";
import { parseSubchannelId } from "../device/address.ts";
import type { DeviceApi } from "../device/device-api.ts";
import type { Evidence, Reading } from "../device/evidence.ts";
import { parseTypeId } from "../device/mdev-type.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import type { Subchannel } from "../device/parent-device.ts";
import type { Memory, Pair } from "./pair.ts";
import type { Policy } from "./policy.ts";
import { STRICT_POLICY } from "./policy.ts";
import { apBus, apMatrix, pairOf, profile, reading, type ProfileParts } from "./test-profile.ts";

/** Names of members that every object has, and other texts that break careless code. */
const HOSTILE = ["__proto__", "constructor", "toString", "", " ", "../x", "0x10", "NaN", "\u0000", "🂡"];
const NUMBERS = [0, 1, 2, 15, 30, 255, 256, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY];
const FIELDS = ["pci_ids", "feature", "__proto__", "constructor"];
const FACTS = ["device_identity", "ap_bind_state", "qemu_version", "qemu_blocked_reasons", "__proto__"];

const evidence: fc.Arbitrary<Evidence> = fc.record({
  host: fc.constantFrom("a", "b"),
  source: fc.constantFrom("interface" as const, "sysfs" as const, "script" as const),
  path: fc.constantFrom("/sys/x", "/sys/y"),
});

/** Any reading of a value; mostly known, so that some pairs come to a yes. */
function readings<T>(value: fc.Arbitrary<T>): fc.Arbitrary<Reading<T>> {
  return fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant("known" as const), value, evidence }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("absent" as const), evidence }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("unreadable" as const),
        why: fc.constantFrom("EIO", "read: ENODEV", ""),
        evidence,
      }),
    },
  );
}

/** A text that two ends often share, and sometimes one that no kernel would print. */
function texts(...usual: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...usual) },
    { weight: 1, arbitrary: fc.constantFrom(...HOSTILE) },
  );
}

function lists(...items: readonly string[]): fc.Arbitrary<readonly string[]> {
  return fc.array(texts(...items), { maxLength: 3 });
}

function records<T>(names: readonly string[], value: fc.Arbitrary<T>): fc.Arbitrary<Readonly<Record<string, T>>> {
  return fc
    .array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 3 })
    .map((entries) => Object.fromEntries(entries));
}

const number = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(0, 1, 5) },
  { weight: 1, arbitrary: fc.constantFrom(...NUMBERS) },
);
const apqn = fc.record({ adapter: number, domain: number });
const numbers = fc.array(number, { maxLength: 3 });

const matrix: fc.Arbitrary<ApMatrix> = fc.record({
  matrix: readings(fc.array(apqn, { maxLength: 2 })),
  guestMatrix: readings(fc.array(apqn, { maxLength: 2 })),
  controlDomains: readings(numbers),
  apConfig: readings(fc.record({ adapters: numbers, domains: numbers, controlDomains: numbers })),
});

const queue: fc.Arbitrary<ApQueue> = fc.record({
  apqn,
  driver: readings(texts("vfio_ap", "vfio_ap", "cex4queue")),
  hardwareType: readings(fc.constantFrom(13, 14, Number.NaN)),
  cardType: readings(texts("CEX7C", "CEX7A")),
  functions: readings(texts("0x92800000", "0x93400000")),
});

const bus: fc.Arbitrary<ApBus> = fc.record({
  queues: fc.array(queue, { maxLength: 4 }),
  controlDomains: readings(numbers),
  maxAdapterId: readings(number),
  maxDomainId: readings(number),
  hostAdapters: readings(numbers),
  hostDomains: readings(numbers),
  features: readings(lists("ap_config", "guest_matrix")),
});

const subchannel: fc.Arbitrary<Subchannel> = fc.record({
  id: fc.constant(parseSubchannelId("0.0.0313")),
  type: readings(fc.constantFrom(0, 1)),
  chpids: readings(lists("50", "51")),
  chpidTypes: readings(lists("1a", "1b")),
});

const version = fc.record({
  major: fc.constantFrom(1, 2, Number.NaN),
  minor: fc.constantFrom(0, 1, 2),
  bugfix: fc.constantFrom(0, 9),
});

const attributes = fc.record({
  softwareVersion: readings(version),
  compatibleTypes: readings(lists("nvidia-231", "nvidia-232")),
  compatible: records(FIELDS, readings(lists("A", "B", "0x1a"))),
  dynamicResources: readings(lists("aggregator", "fps")),
  migrationVersion: readings(texts("v1", "v2")),
});

const module = fc.record({
  name: texts("vgpu", "vgpu", "mtty"),
  version: readings(texts("1")),
  srcversion: readings(texts("E17", "E17", "F00")),
  buildId: readings(texts("b1", "b1", "b2")),
  taint: readings(texts("OE")),
});

const ids = fc.record({
  vendor: fc.constantFrom("10de", "8086"),
  device: fc.constant("25b6"),
  subsystemVendor: fc.constant("10de"),
  subsystemDevice: fc.constant("157e"),
});

const subject = fc.record({
  kind: fc.constantFrom("device" as const, "type" as const),
  host: fc.constantFrom("a", "b"),
  parent: fc.constantFrom("0000:00:10.0", "mtty"),
  id: fc.constantFrom("x", "y"),
});

const apis: fc.Arbitrary<DeviceApi> = fc.constantFrom("vfio-pci", "vfio-ap", "vfio-ccw");

/** Any profile that a reader could hand over, and some that none should. */
export const arbitraryProfile: fc.Arbitrary<MigrationProfile> = fc.record(
  {
    subject,
    framework: fc.oneof(
      { weight: 6, arbitrary: fc.constant("mdev" as const) },
      { weight: 1, arbitrary: fc.constantFrom("vendor-vfio" as const, "function" as const) },
    ),
    vendorDriver: readings(texts("nvidia", "nvidia", "vfio_ap")),
    deviceApi: readings(apis),
    type: readings(fc.constantFrom("nvidia-231", "nvidia-231", "nvidia-232").map(parseTypeId)),
    attributes,
    module: readings(module),
    kernel: fc.record({
      release: readings(texts("6.12.1", "5.4")),
      version: readings(texts("Linux 6.12.1", "Linux 6.12.1", "Linux 6.18")),
    }),
    firmware: readings(texts("fw1", "fw2")),
    pciIds: readings(ids),
    aggregation: readings(
      fc.record(
        { count: number, settable: fc.boolean(), attribute: texts("aggregator"), max: number },
        { requiredKeys: ["count", "settable"] },
      ),
    ),
    dynamicValues: records(["aggregator", "fps", "__proto__"], readings(texts("1", "30"))),
    ap: matrix,
    apBus: bus,
    apTaken: fc.array(fc.constantFrom("01.0005", "00.0000", "x"), { maxLength: 2 }),
    subchannel,
    features: readings(
      fc.record({ stopCopy: fc.boolean(), p2p: fc.boolean(), preCopy: fc.boolean(), dirtyTracking: fc.boolean() }),
    ),
    facts: records(FACTS, readings(texts("0", "8.2.0", "disk"))),
  },
  {
    requiredKeys: [
      "subject",
      "framework",
      "vendorDriver",
      "deviceApi",
      "type",
      "attributes",
      "module",
      "kernel",
      "firmware",
      "pciIds",
      "aggregation",
      "dynamicValues",
      "features",
      "facts",
    ],
  },
);

/** Any policy that decides something about a pair. */
export const arbitraryPolicy: fc.Arbitrary<Policy> = fc.record({
  crossType: fc.boolean(),
  hybrid: fc.boolean(),
  sameBuild: fc.record({ softwareVersion: fc.boolean(), compatibleFields: fc.boolean() }),
  acceptAfterSuccesses: fc.constantFrom(0, 1),
  assumePlatform: fc.boolean(),
  typeAliases: fc.constantFrom(STRICT_POLICY.typeAliases, [["nvidia-231", "nvidia-232"]]),
  unitMap: fc.constantFrom({}, { "nvidia-231": "1/2", "nvidia-232": "1" }, { "nvidia-231": "x", "nvidia-232": "1" }),
  signatures: fc.constant([]),
  facts: fc.constant([]),
});

/** A memory that answers every question the same way, whatever the key. */
function memoryOf(accepted: boolean): Memory {
  const probes = new Proxy({}, everyKey({ accepted, host: "b" }));
  return { probes, successes: new Proxy({}, everyKey(1)) };
}

function everyKey(value: unknown): ProxyHandler<object> {
  return { getOwnPropertyDescriptor: () => ({ value, configurable: true, enumerable: true }), get: () => value };
}

/** Any question about two unrelated profiles. */
export const arbitraryPair: fc.Arbitrary<Pair> = fc
  .record({ source: arbitraryProfile, destination: arbitraryProfile, policy: arbitraryPolicy, accepted: fc.boolean() })
  .map(({ source, destination, policy, accepted }) => ({
    source,
    destination,
    policy,
    packs: [],
    memory: memoryOf(accepted),
  }));

const FLAT: ProfileParts = {
  type: "idxd-1dwq",
  softwareVersion: "1.2.0",
  migrationVersion: "v1",
  compatible: { feature: ["A", "B"], pci_ids: ["8086:0b25"] },
  dynamicResources: ["aggregator", "fps"],
  aggregation: { count: 30, attribute: "aggregator", settable: true, max: 40 },
  dynamicValues: { aggregator: "30", fps: "60" },
};
const AP: ProfileParts = {
  type: "vfio_ap-passthrough",
  deviceApi: "vfio-ap",
  parent: "matrix",
  pciIds: undefined,
  ap: apMatrix("01.0005 01.0006", [5]),
  apBus: apBus("01.0005 01.0006"),
  apTaken: [],
};
const CCW: ProfileParts = {
  type: "vfio_ccw-io",
  deviceApi: "vfio-ccw",
  parent: "css0",
  pciIds: undefined,
  subchannel: {
    id: parseSubchannelId("0.0.0313"),
    type: reading(0),
    chpids: reading(["50"]),
    chpidTypes: reading(["1a"]),
  },
  facts: { device_identity: "disk" },
};

/** Pairs that the rules say yes to: without any attribute, with all of them, at a type, and both s390 interfaces. */
const YES: readonly Pair[] = [
  {},
  FLAT,
  { ...FLAT, subject: "type", dynamicValues: {} } satisfies ProfileParts,
  AP,
  CCW,
  { buildId: "b1", firmware: "1" },
].map((parts) => {
  const source = profile({ ...parts, subject: "device", dynamicValues: FLAT.dynamicValues ?? {} });
  return { ...pairOf(source, profile({ ...parts, host: "b" })), memory: memoryOf(true) };
});

/** A pair that was a yes until at most two parts of it were replaced by something arbitrary. */
export const nearbyPair: fc.Arbitrary<Pair> = fc
  .record({
    yes: fc.constantFrom(...YES),
    other: arbitraryProfile,
    swaps: fc.array(fc.tuple(fc.constantFrom("source" as const, "destination" as const), fc.nat(), fc.boolean()), {
      maxLength: 2,
    }),
    policy: arbitraryPolicy,
  })
  .map(({ yes, other, swaps, policy }) => {
    const ends = { source: yes.source, destination: yes.destination };
    for (const [end, pick, deep] of swaps) {
      ends[end] = deep
        ? { ...ends[end], attributes: swapOne(ends[end].attributes, other.attributes, pick) }
        : swapOne(ends[end], other, pick);
    }
    return { ...yes, ...ends, policy };
  });

function swapOne<T extends object>(base: T, other: T, pick: number): T {
  const names = Object.keys(base).filter((name) => Object.hasOwn(other, name)) as (keyof T)[];
  const name = names[pick % Math.max(1, names.length)];
  return name === undefined ? base : { ...base, [name]: other[name] };
}
