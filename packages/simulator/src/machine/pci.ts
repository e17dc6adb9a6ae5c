// SPDX-License-Identifier: Apache-2.0

import { fixedAttribute, refused, settingAttribute } from "../tree/node.ts";
import { addBus, addBusDriver, type BusDriver } from "./driver-folder.ts";
import { joinIommuGroup } from "./iommu.ts";
import type { Kernel } from "./kernel.ts";

/** One PCI function. Ids are four hexadecimal digits in lower case without `0x`. */
export interface PciFunctionSpec {
  /** `dddd:bb:dd.f`. */
  readonly address: string;
  readonly vendor: string;
  readonly device: string;
  readonly subsystemVendor?: string;
  readonly subsystemDevice?: string;
  /** Class code, six digits. */
  readonly classCode: string;
  readonly revision?: string;
  /** -1, the kernel's word for "none", where it is left out. */
  readonly numaNode?: number;
  readonly iommuGroup?: number;
  readonly driver?: BusDriver;
  /** Bridges between the root bus and the function, outermost first. */
  readonly behind?: readonly string[];
  /** For a physical function: how many virtual functions it could have and has. */
  readonly sriov?: { readonly total: number; readonly addresses: readonly string[] };
  /** For a virtual function: the address of its physical function. */
  readonly physicalFunction?: string;
}

/** Makes the PCI bus. */
export function startPci(kernel: Kernel): void {
  addBus(kernel, "pci");
}

/** Where a function stands: `/sys/devices/pci<domain>:<bus>/...`, bridges between. */
export function findPciPath(spec: Pick<PciFunctionSpec, "address" | "behind">): string {
  const steps = [...(spec.behind ?? []), spec.address];
  return `/sys/devices/pci${(steps[0] ?? "").slice(0, 7)}/${steps.join("/")}`;
}

/** Puts a PCI function, and the bridges before it, into the tree. Returns its path. */
export function addPciFunction(kernel: Kernel, spec: PciFunctionSpec): string {
  const behind = spec.behind ?? [];
  for (const [index, address] of behind.entries()) addBridge(kernel, address, behind.slice(0, index));
  const path = findPciPath(spec);
  addIdentity(kernel, path, spec);
  if (spec.driver !== undefined) bindDriver(kernel, path, { address: spec.address, driver: spec.driver });
  if (spec.iommuGroup !== undefined) joinIommuGroup(kernel, spec.iommuGroup, { path, name: spec.address });
  addSriov(kernel, path, spec);
  if (spec.physicalFunction !== undefined) {
    kernel.tree.addLink(`${path}/physfn`, findPciPath({ ...spec, address: spec.physicalFunction }));
  }
  return path;
}

function addBridge(kernel: Kernel, address: string, behind: readonly string[]): void {
  if (kernel.tree.lookup(`/sys/bus/pci/devices/${address}`).kind !== "absent") return;
  const driver = { name: "pcieport", module: "pcieportdrv" };
  const bridge = { address, vendor: "8086", device: "347a", classCode: "060400", behind };
  const path = findPciPath(bridge);
  addIdentity(kernel, path, bridge);
  bindDriver(kernel, path, { address, driver });
  kernel.tree.removeEntry(`/sys/bus/pci/drivers/${driver.name}/module`); // built in: no module behind it
}

/** Attributes that every function has (drivers/pci/pci-sysfs.c). */
function addIdentity(kernel: Kernel, path: string, spec: PciFunctionSpec): void {
  const subsystemVendor = spec.subsystemVendor ?? spec.vendor;
  const subsystemDevice = spec.subsystemDevice ?? "0000";
  const lines = {
    vendor: `0x${spec.vendor}`,
    device: `0x${spec.device}`,
    subsystem_vendor: `0x${subsystemVendor}`,
    subsystem_device: `0x${subsystemDevice}`,
    class: `0x${spec.classCode}`,
    revision: `0x${spec.revision ?? "00"}`,
    modalias: formatModalias({ ...spec, subsystemVendor, subsystemDevice }),
  };
  for (const [name, line] of Object.entries(lines)) kernel.tree.addAttribute(`${path}/${name}`, fixedAttribute(line));
  kernel.tree.addAttribute(`${path}/numa_node`, settingAttribute(`${spec.numaNode ?? -1}\n`));
  kernel.tree.addAttribute(`${path}/driver_override`, settingAttribute("(null)\n"));
  kernel.tree.addAttribute(`${path}/enable`, settingAttribute(spec.driver === undefined ? "0\n" : "1\n"));
  kernel.tree.addAttribute(
    `${path}/uevent`,
    settingAttribute(formatUevent({ ...spec, subsystemVendor, subsystemDevice })),
  );
  kernel.tree.addLink(`${path}/subsystem`, "/sys/bus/pci");
  kernel.tree.addLink(`/sys/bus/pci/devices/${spec.address}`, path);
}

function formatModalias(spec: PciFunctionSpec): string {
  const long = (id: string | undefined) => `0000${(id ?? "").toUpperCase()}`;
  const [base, sub, api] = [spec.classCode.slice(0, 2), spec.classCode.slice(2, 4), spec.classCode.slice(4, 6)];
  const ids = `v${long(spec.vendor)}d${long(spec.device)}sv${long(spec.subsystemVendor)}sd${long(spec.subsystemDevice)}`;
  return `pci:${ids}bc${base.toUpperCase()}sc${sub.toUpperCase()}i${api.toUpperCase()}`;
}

function formatUevent(spec: PciFunctionSpec): string {
  const upper = (id: string | undefined) => (id ?? "").toUpperCase();
  const lines = [
    ...(spec.driver === undefined ? [] : [`DRIVER=${spec.driver.name}`]),
    `PCI_CLASS=${Number.parseInt(spec.classCode, 16).toString(16).toUpperCase().padStart(4, "0")}`,
    `PCI_ID=${upper(spec.vendor)}:${upper(spec.device)}`,
    `PCI_SUBSYS_ID=${upper(spec.subsystemVendor)}:${upper(spec.subsystemDevice)}`,
    `PCI_SLOT_NAME=${spec.address}`,
    `MODALIAS=${formatModalias(spec)}`,
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function bindDriver(
  kernel: Kernel,
  path: string,
  bound: { readonly address: string; readonly driver: BusDriver },
): void {
  addBusDriver(kernel, "pci", bound.driver);
  kernel.tree.addLink(`/sys/bus/pci/drivers/${bound.driver.name}/${bound.address}`, path);
  kernel.tree.addLink(`${path}/driver`, `/sys/bus/pci/drivers/${bound.driver.name}`);
}

/** The files of a physical function (drivers/pci/iov.c). Changing the number of functions answers EBUSY: they are in use. */
function addSriov(kernel: Kernel, path: string, spec: PciFunctionSpec): void {
  if (spec.sriov === undefined) return;
  const { total, addresses } = spec.sriov;
  const number = settingAttribute(`${addresses.length}\n`);
  kernel.tree.addAttribute(`${path}/sriov_totalvfs`, fixedAttribute(String(total)));
  kernel.tree.addAttribute(`${path}/sriov_numvfs`, { ...number, store: () => refused("EBUSY") });
  for (const [index, address] of addresses.entries()) {
    kernel.tree.addLink(`${path}/virtfn${index}`, findPciPath({ ...spec, address }));
  }
}
