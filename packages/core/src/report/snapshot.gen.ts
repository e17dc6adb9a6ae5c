// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { parsePciAddress } from "../device/address.ts";
import type { ApBus, ApMatrix, Apqn } from "../device/ap-matrix.ts";
import type { DeviceUse } from "../device/device-use.ts";
import type { Evidence, Reading } from "../device/evidence.ts";
import type { HostSnapshot } from "../device/host-snapshot.ts";
import { parseTypeId, type MdevType } from "../device/mdev-type.ts";
import type { ParentDevice } from "../device/parent-device.ts";
import type { PciFunction } from "../device/pci-function.ts";
import type { Problem } from "../device/problem.ts";
import type { VfioDevice } from "../device/vfio-device.ts";
import type { VirtualMachine } from "../device/virtual-machine.ts";

const HOSTILE = [
  "__proto__",
  "constructor",
  "$",
  "$0",
  "$9",
  "$$",
  "$text",
  "",
  " ",
  "\u0000",
  "\ud800",
  "🂡",
  "2",
  "a$b",
];
const IDS = ["0000:3b:00.4", "0000:3b:00.5", "mtty", "matrix", "0.0.0313", "a"];
const UUIDS = ["83b8f4f2-509f-382f-3c1e-e6bfe0fa1001", "83b8f4f2-509f-382f-3c1e-e6bfe0fa1002"];
const FOLDERS = ["/sys/devices/pci0000:3a", "/sys/devices/virtual", "/sys/x$1", "", "/"];

/** Texts as they are, and some that break careless code. */
const anyText = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("vfio-pci", "nvidia", "i915", "41", "4", "true", ...IDS, ...FOLDERS) },
  { weight: 3, arbitrary: fc.constantFrom(...HOSTILE) },
  { weight: 1, arbitrary: fc.string({ maxLength: 400, unit: "binary" }) },
);
const count = fc.oneof(fc.nat(50), fc.constantFrom(0, Number.MAX_SAFE_INTEGER));

const evidence: fc.Arbitrary<Evidence> = fc
  .record({
    host: fc.constantFrom("here", "here", "here", "elsewhere"),
    source: fc.constantFrom("sysfs" as const, "interface" as const, "script" as const),
    path: fc.oneof(
      fc.tuple(fc.constantFrom(...FOLDERS), fc.constantFrom(...IDS)).map((parts) => parts.join("/")),
      anyText,
    ),
    text: fc.option(anyText, { nil: undefined }),
  })
  .map(({ text, ...rest }) => (text === undefined ? rest : { ...rest, text }));

/** A known reading whose text is the value, ends in it, is its count, or is anything. */
function printed<T>(value: T, where: Evidence, form: number): Reading<T> {
  const counted = (value as { readonly count?: number } | null)?.count;
  const shown = typeof value === "string" ? value : JSON.stringify(value);
  const texts = [shown, `/sys/kernel/iommu_groups/${shown}`, String(counted)];
  const text = texts[form];
  return { kind: "known", value, evidence: text === undefined ? where : { ...where, text } };
}

/** Any reading; where it is known its text is often what a driver prints for the value. */
function readings<T>(value: fc.Arbitrary<T>): fc.Arbitrary<Reading<T>> {
  return fc.oneof(
    fc.tuple(value, evidence, fc.nat(3)).map(([known, where, form]) => printed(known, where, form)),
    fc.record({ kind: fc.constant("absent" as const), evidence }),
    fc.record({ kind: fc.constant("unreadable" as const), why: anyText, evidence }),
  );
}

function maps<T>(value: fc.Arbitrary<T>): fc.Arbitrary<Readonly<Record<string, T>>> {
  return fc.array(fc.tuple(anyText, value), { maxLength: 2 }).map((entries) => Object.fromEntries(entries));
}

const texts = fc.array(anyText, { maxLength: 3 });
const bytes = fc.array(fc.nat(255), { maxLength: 3 });
const apqn: fc.Arbitrary<Apqn> = fc.record({ adapter: fc.nat(255), domain: fc.nat(255) });
const pciAddress = fc.constantFrom("0000:3b:00.4", "0000:3b:00.5", "0001:00:00.0").map(parsePciAddress);
const typeId = fc.constantFrom("nvidia-558", "i915-GVTg_V5_4", "$1", "mtty-1").map(parseTypeId);
const deviceApi = fc.constantFrom("vfio-pci" as const, "vfio-ap" as const);
const text = readings(anyText);
const number = readings(count);
const version = readings(fc.record({ major: fc.nat(9), minor: fc.nat(9), bugfix: fc.nat(9) }));

const type: fc.Arbitrary<MdevType> = fc.record({
  id: typeId,
  driverPrefix: anyText,
  name: text,
  deviceApi: readings(deviceApi),
  availableInstances: number,
  description: text,
  maxAggregation: number,
  attributes: fc.record({
    softwareVersion: version,
    compatibleTypes: readings(texts),
    compatible: maps(readings(texts)),
    dynamicResources: readings(texts),
    migrationVersion: text,
  }),
});

/** Leaves out the keys whose value is undefined. */
function compact<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T;
}

const owner: fc.Arbitrary<ParentDevice["poolOwner"]> = fc.oneof(
  fc.record({ kind: fc.constant("parent" as const), id: fc.constantFrom(...IDS) }),
  fc.record({ kind: fc.constant("physical-function" as const), id: pciAddress }),
  fc.record({ kind: fc.constant("gpu-instance" as const), id: pciAddress, instance: count }),
  fc.record({ kind: fc.constant("unknown" as const), why: anyText }),
);

const parent: fc.Arbitrary<ParentDevice> = fc
  .record({
    id: fc.constantFrom(...IDS, ...HOSTILE),
    framework: fc.constantFrom("mdev" as const, "vendor-vfio" as const),
    path: fc.tuple(fc.constantFrom(...FOLDERS), fc.constantFrom(...IDS)).map((parts) => parts.join("/")),
    driver: text,
    module: text,
    pci: fc.option(pciAddress, { nil: undefined }),
    numaNode: number,
    iommuGroup: number,
    poolOwner: owner,
    types: fc.array(type, { maxLength: 3 }),
    currentType: readings(typeId),
    facts: maps(text),
  })
  .map((value) => compact(value) as ParentDevice);

const ap: fc.Arbitrary<ApMatrix> = fc.record({
  matrix: readings(fc.array(apqn, { maxLength: 3 })),
  guestMatrix: readings(fc.array(apqn, { maxLength: 3 })),
  controlDomains: readings(bytes),
  apConfig: readings(fc.record({ adapters: bytes, domains: bytes, controlDomains: bytes })),
});

const aggregation = fc
  .record({
    count: fc.integer({ min: 1, max: 40 }),
    attribute: fc.option(anyText, { nil: undefined }),
    settable: fc.boolean(),
    max: fc.option(count, { nil: undefined }),
  })
  .map((value) => compact(value) as { readonly count: number; readonly settable: boolean });

const device: fc.Arbitrary<VfioDevice> = fc
  .record({
    kind: fc.constantFrom("mdev" as const, "vendor-vfio" as const, "function" as const),
    id: fc.constantFrom(...UUIDS, ...IDS),
    path: fc.tuple(fc.constantFrom(...FOLDERS), fc.constantFrom(...UUIDS)).map((parts) => parts.join("/")),
    parent: fc.constantFrom(...IDS),
    type: readings(typeId),
    deviceApi: readings(deviceApi),
    driver: text,
    iommuGroup: number,
    aggregation: readings(aggregation),
    dynamicValues: maps(text),
    attributes: fc.record({ migrationVersion: text, softwareVersion: version }),
    features: readings(
      fc.record({ stopCopy: fc.boolean(), p2p: fc.boolean(), preCopy: fc.boolean(), dirtyTracking: fc.boolean() }),
    ),
    placementId: number,
    gpuInstanceId: number,
    ap: fc.option(ap, { nil: undefined }),
    facts: maps(text),
  })
  .map((value) => compact(value) as VfioDevice);

const pciFunction: fc.Arbitrary<PciFunction> = fc
  .record({
    address: pciAddress,
    path: anyText,
    ids: readings(fc.record({ vendor: anyText, device: anyText, subsystemVendor: anyText, subsystemDevice: anyText })),
    classCode: text,
    driver: text,
    module: text,
    role: fc.constantFrom("pf" as const, "vf" as const, "plain" as const),
    physicalFunction: fc.option(pciAddress, { nil: undefined }),
    virtualFunctions: fc.array(pciAddress, { maxLength: 3 }),
    totalVirtualFunctions: number,
    numaNode: number,
    iommuGroup: number,
    assigned: fc.boolean(),
  })
  .map((value) => compact(value) as PciFunction);

const bus: fc.Arbitrary<ApBus> = fc.record({
  queues: fc.array(fc.record({ apqn, driver: text, hardwareType: number, cardType: text, functions: text }), {
    maxLength: 3,
  }),
  controlDomains: readings(bytes),
  maxAdapterId: number,
  maxDomainId: number,
  hostAdapters: readings(bytes),
  hostDomains: readings(bytes),
  features: readings(texts),
});

const mark = fc.record({ how: fc.constantFrom("open-file" as const, "definition" as const), evidence });
const vm: fc.Arbitrary<VirtualMachine> = fc
  .record({
    id: fc.constantFrom(...UUIDS, "web1", "pid-7"),
    name: anyText,
    uuid: fc.option(anyText, { nil: undefined }),
    pid: fc.option(fc.nat(9999), { nil: undefined }),
    state: fc.constantFrom("running" as const, "defined" as const),
    owner: fc.record({ kind: fc.constantFrom("nova" as const, "unknown" as const), evidence }),
    devices: fc.array(fc.record({ device: anyText, known: fc.tuple(mark, mark) }), { maxLength: 2 }),
    memoryKib: number,
    hugepageKib: number,
  })
  .map((value) => compact(value) as VirtualMachine);

const use: fc.Arbitrary<DeviceUse> = fc.record({
  device: fc.constantFrom(...UUIDS),
  user: fc.oneof(
    fc.record({
      kind: fc.constant("process" as const),
      pid: count,
      command: anyText,
      how: fc.constant("argument" as const),
    }),
    fc.record({ kind: fc.constant("domain" as const), vm: anyText }),
    fc.record({
      kind: fc.constant("definition" as const),
      by: fc.constant("mdevctl" as const),
      start: fc.constant("auto" as const),
    }),
  ),
  evidence,
});

const problem: fc.Arbitrary<Problem> = fc
  .record({
    code: fc.constantFrom("link_broken" as const, "tree_incomplete" as const),
    host: fc.constantFrom("here", "elsewhere"),
    path: anyText,
    message: anyText,
    text: fc.option(anyText, { nil: undefined }),
  })
  .map((value) => compact(value) as Problem);

/** Any host called `here`, with names that are given twice, texts that look like this package's own marks, and the rest. */
export const anySnapshot: fc.Arbitrary<HostSnapshot> = fc
  .record({
    host: fc.constant("here"),
    kernel: fc.record({ release: text, version: text }),
    os: text,
    parents: fc.array(parent, { maxLength: 3 }),
    devices: fc.array(device, { maxLength: 3 }),
    functions: fc.array(pciFunction, { maxLength: 3 }),
    modules: fc.array(fc.record({ name: anyText, version: text, srcversion: text, buildId: text, taint: text }), {
      maxLength: 2,
    }),
    apBus: fc.option(bus, { nil: undefined }),
    virtualMachines: fc.array(vm, { maxLength: 2 }),
    uses: fc.array(use, { maxLength: 2 }),
    unseenUsers: texts,
    facts: maps(text),
    problems: fc.array(problem, { maxLength: 3 }),
  })
  .map((value) => compact(value) as HostSnapshot);
