// SPDX-License-Identifier: Apache-2.0

import type { LoadedPack } from "../compatibility/packs/pack.ts";
import { STRICT_POLICY, type Policy } from "../compatibility/policy.ts";
import { absent, known, unreadable, type Evidence, type Reading } from "../device/evidence.ts";
import type { HostSnapshot } from "../device/host-snapshot.ts";
import { parseTypeId, type MdevType } from "../device/mdev-type.ts";
import type { ParentDevice, PoolOwner } from "../device/parent-device.ts";
import { parseSoftwareVersion } from "../device/software-version.ts";
import type { VfioDevice } from "../device/vfio-device.ts";
import { fleetOf, type Fleet } from "../inventory/fleet.ts";

/** A type of a test parent: its id, how many more it says fit, and its version where it exports one. */
export interface TestType {
  readonly id: string;
  /** Undefined: it cannot be read. */
  readonly available: number | undefined;
  readonly version?: string;
  /** The one value of each `compatible_<field>`, by field. */
  readonly compatible?: Readonly<Record<string, string>>;
  readonly description?: string;
}

export interface TestParent {
  readonly id: string;
  readonly types: readonly TestType[];
  readonly numaNode?: number;
  /** Itself unless said. */
  readonly owner?: PoolOwner;
}

export interface TestDevice {
  readonly id: string;
  readonly parent: string;
  readonly type: string;
}

export interface TestHost {
  readonly host: string;
  readonly parents: readonly TestParent[];
  readonly devices?: readonly TestDevice[];
}

/** A fleet for tests. Without packs the law of every pool is unknown unless descriptions tell it. */
export function testFleet(
  hosts: readonly TestHost[],
  options: { readonly policy?: Partial<Policy>; readonly packs?: readonly LoadedPack[] } = {},
): Fleet {
  return fleetOf({
    snapshots: hosts.map(testSnapshot),
    packs: options.packs ?? [],
    policy: { ...STRICT_POLICY, assumePlatform: true, ...options.policy },
  });
}

/** What a test host shows. */
export function testSnapshot({ host, parents, devices = [] }: TestHost): HostSnapshot {
  const at = (path: string, text?: string): Evidence => ({
    host,
    source: "sysfs",
    path,
    ...(text === undefined ? {} : { text }),
  });
  return {
    host,
    kernel: {
      release: known("6.12.0", at("/proc/sys/kernel/osrelease")),
      version: known("Linux 6.12.0", at("/proc/version")),
    },
    os: known("debian 13", at("/etc/os-release")),
    parents: parents.map((parent) => testParent(parent, at)),
    devices: devices.map((device) => testDevice(device, { parents, at })),
    functions: [],
    modules: [],
    facts: {},
    virtualMachines: [],
    uses: [],
    unseenUsers: [],
    problems: [],
  };
}

type At = (path: string, text?: string) => Evidence;

function testParent(parent: TestParent, at: At): ParentDevice {
  const path = `/sys/devices/test/${parent.id}`;
  const nothing = absent(at(path));
  return {
    id: parent.id,
    framework: "mdev",
    path,
    driver: known("test", at(path)),
    module: known("test", at(path)),
    numaNode: parent.numaNode === undefined ? nothing : known(parent.numaNode, at(`${path}/numa_node`)),
    iommuGroup: nothing,
    poolOwner: parent.owner ?? { kind: "parent", id: parent.id },
    types: parent.types.map((type) => testType(type, path, at)),
    currentType: nothing,
    facts: {},
  };
}

function testType(type: TestType, parentPath: string, at: At): MdevType {
  const path = `${parentPath}/mdev_supported_types/${type.id}`;
  const nothing = absent(at(path));
  return {
    id: parseTypeId(type.id),
    driverPrefix: type.id.split("-")[0] ?? type.id,
    name: nothing,
    deviceApi: known("vfio-pci", at(`${path}/device_api`, "vfio-pci")),
    availableInstances:
      type.available === undefined
        ? unreadable("EIO", at(`${path}/available_instances`))
        : known(type.available, at(`${path}/available_instances`, String(type.available))),
    description: type.description === undefined ? nothing : known(type.description, at(`${path}/description`)),
    maxAggregation: nothing,
    attributes: {
      softwareVersion: versionReading(type.version, at(`${path}/software_version`, type.version)),
      compatibleTypes: nothing,
      compatible: Object.fromEntries(
        Object.entries(type.compatible ?? {}).map(([field, value]) => [
          field,
          known([value], at(`${path}/compatible_${field}`, value)),
        ]),
      ),
      dynamicResources: nothing,
      migrationVersion: nothing,
    },
  };
}

function versionReading(text: string | undefined, evidence: Evidence): MdevType["attributes"]["softwareVersion"] {
  return text === undefined ? absent(evidence) : known(parseSoftwareVersion(text), evidence);
}

function testDevice(
  device: TestDevice,
  context: { readonly parents: readonly TestParent[]; readonly at: At },
): VfioDevice {
  const path = `/sys/devices/test/${device.parent}/${device.id}`;
  const evidence = context.at(path);
  const nothing: Reading<never> = absent(evidence);
  return {
    kind: "mdev",
    id: device.id,
    path,
    parent: device.parent,
    type: known(parseTypeId(device.type), evidence),
    deviceApi: known("vfio-pci", evidence),
    driver: known("test", evidence),
    iommuGroup: nothing,
    aggregation: known({ count: 1, settable: false }, evidence),
    dynamicValues: {},
    attributes: { migrationVersion: nothing, softwareVersion: nothing },
    features: nothing,
    placementId: nothing,
    gpuInstanceId: nothing,
    facts: {},
  };
}
