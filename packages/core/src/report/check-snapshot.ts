// SPDX-License-Identifier: Apache-2.0

import { parsePciAddress, parseSubchannelId } from "../device/address.ts";
import { parseDeviceApi } from "../device/device-api.ts";
import { parseTypeId } from "../device/mdev-type.ts";
import {
  BOOLEAN,
  BYTE,
  COUNT,
  isA,
  listOf,
  mapOf,
  objectOf,
  oneOf,
  POSITIVE,
  taggedBy,
  TEXT,
  textThat,
} from "./value-check.ts";
import type { ValueCheck } from "./value-check.ts";

/**
 * Says what keeps a value from being a HostSnapshot, at most 20 lines; nothing where it is one. What a host reports is
 * data of strangers: everything that decides may rely on the shape only after this. Keys that are not known pass.
 */
export function checkSnapshot(value: unknown): readonly string[] {
  const lines: string[] = [];
  SNAPSHOT(value, "", lines);
  return lines;
}

const SOURCE = oneOf("interface", "sysfs", "debugfs", "script", "pack", "declaration", "inferred");
const EVIDENCE = objectOf(
  { host: TEXT, source: SOURCE, path: TEXT },
  { text: TEXT, textOnHost: isA("true", (value) => value === true) },
);

function reading(value: ValueCheck): ValueCheck {
  return taggedBy("kind", {
    known: objectOf({ value, evidence: EVIDENCE }),
    absent: objectOf({ evidence: EVIDENCE }),
    unreadable: objectOf({ why: TEXT, evidence: EVIDENCE }),
  });
}

const ADDRESS = textThat("a PCI address", parsePciAddress);
const TYPE_ID = textThat("a type id", parseTypeId);
const DEVICE_API = textThat("a device API", parseDeviceApi);
const SOME_TEXT = reading(TEXT);
const SOME_COUNT = reading(COUNT);
const SOME_TEXTS = reading(listOf(TEXT));
const SOME_BYTES = reading(listOf(BYTE));
const FACTS = mapOf(SOME_TEXT);
const FRAMEWORK = oneOf("mdev", "vendor-vfio");
const VERSION = reading(objectOf({ major: COUNT, minor: COUNT, bugfix: COUNT }));

const ATTRIBUTES = objectOf({
  softwareVersion: VERSION,
  compatibleTypes: SOME_TEXTS,
  compatible: mapOf(SOME_TEXTS),
  dynamicResources: SOME_TEXTS,
  migrationVersion: SOME_TEXT,
});

const TYPE = objectOf({
  id: TYPE_ID,
  driverPrefix: TEXT,
  name: SOME_TEXT,
  deviceApi: reading(DEVICE_API),
  availableInstances: SOME_COUNT,
  description: SOME_TEXT,
  maxAggregation: SOME_COUNT,
  attributes: ATTRIBUTES,
});

const POOL_OWNER = taggedBy("kind", {
  parent: objectOf({ id: TEXT }),
  "physical-function": objectOf({ id: ADDRESS }),
  "gpu-instance": objectOf({ id: ADDRESS, instance: COUNT }),
  unknown: objectOf({ why: TEXT }),
});

const SUBCHANNEL = objectOf({
  id: textThat("a subchannel id", parseSubchannelId),
  type: SOME_COUNT,
  chpids: SOME_TEXTS,
  chpidTypes: SOME_TEXTS,
});

const PARENT = objectOf(
  {
    id: TEXT,
    framework: FRAMEWORK,
    path: TEXT,
    driver: SOME_TEXT,
    module: SOME_TEXT,
    numaNode: SOME_COUNT,
    iommuGroup: SOME_COUNT,
    poolOwner: POOL_OWNER,
    types: listOf(TYPE),
    currentType: reading(TYPE_ID),
    facts: FACTS,
  },
  { pci: ADDRESS, subchannel: SUBCHANNEL },
);

const APQN = objectOf({ adapter: BYTE, domain: BYTE });
const AP_MATRIX = objectOf({
  matrix: reading(listOf(APQN)),
  guestMatrix: reading(listOf(APQN)),
  controlDomains: SOME_BYTES,
  apConfig: reading(objectOf({ adapters: listOf(BYTE), domains: listOf(BYTE), controlDomains: listOf(BYTE) })),
});

const DEVICE = objectOf(
  {
    kind: oneOf("mdev", "vendor-vfio", "function"),
    id: TEXT,
    path: TEXT,
    parent: TEXT,
    type: reading(TYPE_ID),
    deviceApi: reading(DEVICE_API),
    driver: SOME_TEXT,
    iommuGroup: SOME_COUNT,
    aggregation: reading(objectOf({ count: POSITIVE, settable: BOOLEAN }, { attribute: TEXT, max: COUNT })),
    dynamicValues: FACTS,
    attributes: objectOf({ migrationVersion: SOME_TEXT, softwareVersion: VERSION }),
    features: reading(objectOf({ stopCopy: BOOLEAN, p2p: BOOLEAN, preCopy: BOOLEAN, dirtyTracking: BOOLEAN })),
    placementId: SOME_COUNT,
    gpuInstanceId: SOME_COUNT,
    facts: FACTS,
  },
  { ap: AP_MATRIX },
);

const FUNCTION = objectOf(
  {
    address: ADDRESS,
    path: TEXT,
    ids: reading(objectOf({ vendor: TEXT, device: TEXT, subsystemVendor: TEXT, subsystemDevice: TEXT })),
    classCode: SOME_TEXT,
    driver: SOME_TEXT,
    module: SOME_TEXT,
    role: oneOf("pf", "vf", "plain"),
    virtualFunctions: listOf(ADDRESS),
    totalVirtualFunctions: SOME_COUNT,
    numaNode: SOME_COUNT,
    iommuGroup: SOME_COUNT,
    assigned: BOOLEAN,
  },
  { physicalFunction: ADDRESS },
);

const MODULE = objectOf({
  name: TEXT,
  version: SOME_TEXT,
  srcversion: SOME_TEXT,
  buildId: SOME_TEXT,
  taint: SOME_TEXT,
});

const QUEUE = objectOf({
  apqn: APQN,
  driver: SOME_TEXT,
  hardwareType: SOME_COUNT,
  cardType: SOME_TEXT,
  functions: SOME_TEXT,
});
const AP_BUS = objectOf({
  queues: listOf(QUEUE),
  controlDomains: SOME_BYTES,
  maxAdapterId: SOME_COUNT,
  maxDomainId: SOME_COUNT,
  hostAdapters: SOME_BYTES,
  hostDomains: SOME_BYTES,
  features: SOME_TEXTS,
});

const PROBLEM = objectOf({ code: TEXT, host: TEXT, path: TEXT, message: TEXT }, { text: TEXT });

const MARK = objectOf({ how: oneOf("open-file", "argument", "definition"), evidence: EVIDENCE });
const VIRTUAL_MACHINE = objectOf(
  {
    id: TEXT,
    name: TEXT,
    state: oneOf("running", "defined", "unknown"),
    owner: objectOf({ kind: oneOf("berth", "nova", "kubevirt", "proxmox", "ovirt", "unknown"), evidence: EVIDENCE }),
    devices: listOf(objectOf({ device: TEXT, known: listOf(MARK) })),
    memoryKib: SOME_COUNT,
    hugepageKib: SOME_COUNT,
  },
  { uuid: TEXT, pid: COUNT },
);
const USER = taggedBy("kind", {
  process: objectOf({ pid: COUNT, command: TEXT, how: oneOf("open-file", "argument") }, { vm: TEXT }),
  domain: objectOf({ vm: TEXT }),
  definition: taggedBy("by", {
    libvirt: objectOf({ vm: TEXT }),
    proxmox: objectOf({ vm: TEXT }),
    mdevctl: objectOf({ start: oneOf("auto", "manual") }),
  }),
});
const USE = objectOf({ device: TEXT, user: USER, evidence: EVIDENCE });

const SNAPSHOT = objectOf(
  {
    host: TEXT,
    kernel: objectOf({ release: SOME_TEXT, version: SOME_TEXT }),
    os: SOME_TEXT,
    parents: listOf(PARENT),
    devices: listOf(DEVICE),
    functions: listOf(FUNCTION),
    modules: listOf(MODULE),
    virtualMachines: listOf(VIRTUAL_MACHINE),
    uses: listOf(USE),
    unseenUsers: listOf(TEXT),
    facts: FACTS,
    problems: listOf(PROBLEM),
  },
  { apBus: AP_BUS },
);
