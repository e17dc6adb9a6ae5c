// SPDX-License-Identifier: Apache-2.0

import { parsePciAddress, type PciAddress } from "../device/address.ts";
import { absent, known, type Reading } from "../device/evidence.ts";
import type { HostSnapshot } from "../device/host-snapshot.ts";
import { parseTypeId, type MdevType } from "../device/mdev-type.ts";
import type { ParentDevice } from "../device/parent-device.ts";
import type { PciFunction } from "../device/pci-function.ts";
import type { VfioDevice } from "../device/vfio-device.ts";

/** What a made-up host has: virtual functions of one card, each a parent, some of them with a device. */
export interface MadeUpCard {
  readonly host: string;
  readonly parents: number;
  readonly types: number;
  /** One on each of the first parents. */
  readonly devices: number;
}

/** Builds the snapshot of a host with one big card, as the agent reads such hosts, for tests and measurements of size. */
export function madeUpCard(card: MadeUpCard): HostSnapshot {
  const { host } = card;
  const kernel = "6.12.107+deb13-amd64";
  const functions = Array.from({ length: card.parents }, (_, index) => functionOf(host, index));
  return {
    host,
    kernel: {
      release: sysfs(host, "/proc/sys/kernel/osrelease", kernel),
      version: sysfs(host, "/proc/version", `Linux version ${kernel} (gcc) #1 SMP PREEMPT_DYNAMIC`),
    },
    os: sysfs(host, "/etc/os-release", "debian 13"),
    parents: functions.map((pci, index) => parentOf(card, pci, index)),
    devices: functions.slice(0, card.devices).map((pci, index) => deviceOf(host, pci, index)),
    functions,
    modules: [],
    virtualMachines: [],
    uses: [],
    unseenUsers: [],
    facts: {},
    problems: [],
  };
}

function sysfs<T extends string | number>(host: string, path: string, value: T): Reading<T> {
  return known(value, { host, source: "sysfs", path, text: String(value) });
}

function nothing(host: string, path: string): Reading<never> {
  return absent({ host, source: "sysfs", path });
}

function addressOf(index: number): PciAddress {
  const hex = (value: number): string => value.toString(16).padStart(2, "0");
  return parsePciAddress(`0000:${hex(0x3b + (index >> 8))}:${hex((index >> 3) & 31)}.${index & 7}`);
}

function functionOf(host: string, index: number): PciFunction {
  const address = addressOf(index);
  const path = `/sys/devices/pci0000:3a/0000:3a:01.0/${address}`;
  const ids = { vendor: "10de", device: "26b9", subsystemVendor: "10de", subsystemDevice: "1851" };
  const group = {
    host,
    source: "sysfs",
    path: `${path}/iommu_group`,
    text: `/sys/kernel/iommu_groups/${index}`,
  } as const;
  return {
    address,
    path,
    ids: known(ids, { host, source: "sysfs", path: `${path}/vendor`, text: "10de:26b9 10de:1851" }),
    classCode: known("030200", { host, source: "sysfs", path: `${path}/class`, text: "0x030200" }),
    driver: known("nvidia", { host, source: "sysfs", path: `${path}/driver`, text: "/sys/bus/pci/drivers/nvidia" }),
    module: known("nvidia", { host, source: "sysfs", path: `${path}/driver/module`, text: "/sys/module/nvidia" }),
    role: "vf",
    physicalFunction: addressOf(0),
    virtualFunctions: [],
    totalVirtualFunctions: nothing(host, `${path}/sriov_totalvfs`),
    numaNode: sysfs(host, `${path}/numa_node`, index & 1),
    iommuGroup: known(index, group),
    assigned: false,
  };
}

function parentOf(card: MadeUpCard, pci: PciFunction, index: number): ParentDevice {
  const { host } = card;
  return {
    id: pci.address,
    framework: "mdev",
    path: pci.path,
    driver: pci.driver,
    module: pci.module,
    pci: pci.address,
    numaNode: pci.numaNode,
    iommuGroup: pci.iommuGroup,
    poolOwner: { kind: "physical-function", id: addressOf(0) },
    types: Array.from({ length: card.types }, (_, number) =>
      typeOf(host, pci.path, { number, available: (index + number) % 3 }),
    ),
    currentType: nothing(host, pci.path),
    facts: {},
  };
}

function typeOf(host: string, parent: string, made: { readonly number: number; readonly available: number }): MdevType {
  const id = parseTypeId(`nvidia-${500 + made.number}`);
  const path = `${parent}/mdev_supported_types/${id}`;
  const attribute = (name: string): Reading<never> => absent({ host, source: "interface", path: `${path}/${name}` });
  const megabytes = 1024 * (made.number + 1);
  return {
    id,
    driverPrefix: "nvidia",
    name: sysfs(host, `${path}/name`, `GRID L40S-${made.number}Q`),
    deviceApi: known("vfio-pci", { host, source: "sysfs", path: `${path}/device_api`, text: "vfio-pci" }),
    availableInstances: sysfs(host, `${path}/available_instances`, made.available),
    description: sysfs(
      host,
      `${path}/description`,
      `num_heads=4, frl_config=60, framebuffer=${megabytes}M, max_instance=8`,
    ),
    maxAggregation: attribute("aggregation"),
    attributes: {
      softwareVersion: attribute("software_version"),
      compatibleTypes: attribute("compatible_type"),
      compatible: {},
      dynamicResources: attribute("dynamic_resources"),
      migrationVersion: attribute("migration_version"),
    },
  };
}

function deviceOf(host: string, pci: PciFunction, index: number): VfioDevice {
  const id = `83b8f4f2-509f-382f-3c1e-${index.toString(16).padStart(12, "0")}`;
  const path = `${pci.path}/${id}`;
  const group = {
    host,
    source: "sysfs",
    path: `${path}/iommu_group`,
    text: `/sys/kernel/iommu_groups/${500 + index}`,
  } as const;
  return {
    kind: "mdev",
    id,
    path,
    parent: pci.address,
    type: known(parseTypeId("nvidia-500"), {
      host,
      source: "sysfs",
      path: `${path}/mdev_type`,
      text: `${pci.path}/mdev_supported_types/nvidia-500`,
    }),
    deviceApi: known("vfio-pci", { host, source: "sysfs", path: `${path}/mdev_type/device_api`, text: "vfio-pci" }),
    driver: known("nvidia-vgpu-vfio", {
      host,
      source: "sysfs",
      path: `${path}/driver`,
      text: "/sys/bus/mdev/drivers/nvidia-vgpu-vfio",
    }),
    iommuGroup: known(500 + index, group),
    aggregation: known({ count: 1, settable: false }, { host, source: "inferred", path }),
    dynamicValues: {},
    attributes: { migrationVersion: nothing(host, path), softwareVersion: nothing(host, path) },
    features: nothing(host, `/sys/kernel/debug/vfio/${id}/migration/features`),
    placementId: nothing(host, `${path}/nvidia/placement_id`),
    gpuInstanceId: nothing(host, `${path}/nvidia/gpu_instance_id`),
    facts: {},
  };
}
