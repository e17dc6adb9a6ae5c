// SPDX-License-Identifier: Apache-2.0

import { makeDsaDriver, type DsaSpec } from "./dsa.ts";
import { makeGvtgDriver, type GvtgSpec } from "./i915-gvtg.ts";
import type { Kernel } from "./kernel.ts";
import { loadModule, type ModuleSpec } from "./kernel-module.ts";
import type { MdevCore, ParentSpec } from "./mdev-core.ts";
import { addMttyDevice, makeMttyDriver, type MttySpec } from "./mtty.ts";
import { GPU_MODELS, type GpuModelName } from "./nvidia-catalogue.ts";
import { makeGpuBudget, makeNvidiaDriver, type NvidiaSpec } from "./nvidia-mdev.ts";
import { addPciFunction, type PciFunctionSpec } from "./pci.ts";

/** The ids of a function by which drivers and people know it. */
type PciIds = Pick<
  PciFunctionSpec,
  "vendor" | "device" | "subsystemVendor" | "subsystemDevice" | "classCode" | "revision"
>;

/** Where a PCI machine sits. What is left out of its ids is the model's. */
export interface Seat extends Pick<PciFunctionSpec, "address" | "numaNode" | "iommuGroup" | "behind"> {
  readonly pciIds?: Partial<PciIds>;
  /** Module of the parent's own driver, where it does not have the usual name. */
  readonly driverModule?: string;
}

/** One piece of hardware with its driver. */
export type MachineSpec =
  | ({ readonly kind: "mtty" } & MttySpec)
  | ({ readonly kind: "i915-gvtg" } & Seat & Omit<GvtgSpec, "pciDevice">)
  | ({ readonly kind: "dsa" } & Seat & DsaSpec)
  | ({ readonly kind: "nvidia-mdev" } & Seat & NvidiaMachineSpec)
  /** A PCI function without mdev types: a network function, a GPU passed through as a whole. */
  | ({ readonly kind: "pci-function" } & PciFunctionSpec);

export interface NvidiaMachineSpec extends Omit<NvidiaSpec, "model"> {
  readonly model: GpuModelName;
  /** Addresses of virtual functions: they are the parents then, with one device each, and the GPU's budget is shared. */
  readonly virtualFunctions?: readonly string[];
}

/** Builds of the vendor drivers' modules, where the host's spec names no other. A module that is not here has no version. */
const BUILDS: readonly ModuleSpec[] = [
  { name: "mtty", version: "0.1", srcversion: "0CFBC3668084E605BBD06DA", taint: "OE" },
  { name: "i915", srcversion: "7B1D64F0A93C5E82F4D6A10" },
  { name: "kvmgt", srcversion: "C2E85A3714F60B9D8A7E43C" },
  { name: "idxd", srcversion: "45E9A1C7D2083BF6E0915DA" },
  { name: "idxd_mdev", srcversion: "9D30FB5E71A2C46807BE1F3", taint: "OE" },
  { name: "nvidia", version: "550.144.02", srcversion: "A1D0F73B92C58E46D7F0B3E", taint: "POE" },
  { name: "nvidia_vgpu_vfio", version: "550.144.02", srcversion: "3F86E2D10B7C94A5E8D1C62", taint: "OE" },
];

const GVTG_IDS = { 4: { device: "162a" }, 5: { device: "193b" } } as const;

/** Puts a machine into a host and registers its mdev parents. */
export function installMachine(kernel: Kernel, core: MdevCore, machine: MachineSpec): void {
  switch (machine.kind) {
    case "mtty":
      addParent(kernel, core, { path: addMttyDevice(kernel), driverString: "mtty", driver: makeMttyDriver(machine) });
      return;
    case "i915-gvtg": {
      const pciDevice = machine.pciIds?.device ?? GVTG_IDS[machine.generation].device;
      const ids = { vendor: "8086", device: pciDevice, classCode: "030000", subsystemDevice: "2212" };
      const path = addFunction(kernel, { ...seatOf(machine, ids), driver: driverOf(machine, "i915", "i915") });
      addParent(kernel, core, {
        path,
        driverString: "i915",
        driver: makeGvtgDriver(kernel, { ...machine, pciDevice }),
      });
      return;
    }
    case "dsa": {
      const ids = { vendor: "8086", device: "0b25", classCode: "088000" };
      const path = addFunction(kernel, { ...seatOf(machine, ids), driver: driverOf(machine, "dsa", "idxd") });
      addParent(kernel, core, { path, driverString: "dsa", driver: makeDsaDriver(machine) });
      return;
    }
    case "nvidia-mdev":
      installGpu(kernel, core, machine);
      return;
    case "pci-function":
      addFunction(kernel, machine);
  }
}

/** A GPU is an mdev parent itself, or with SR-IOV its virtual functions are, one device each. */
function installGpu(kernel: Kernel, core: MdevCore, machine: MachineSpec & { readonly kind: "nvidia-mdev" }): void {
  const model = GPU_MODELS[machine.model];
  const spec: NvidiaSpec = { ...machine, model };
  const budget = makeGpuBudget(model);
  const driver = driverOf(machine, "nvidia", "nvidia");
  const ids = { vendor: "10de", device: model.pciDevice, subsystemDevice: model.subsystemDevice, classCode: "030200" };
  const seat = { ...seatOf(machine, ids), driver };
  const functions = machine.virtualFunctions;
  if (functions === undefined) {
    const path = addFunction(kernel, seat);
    addParent(kernel, core, {
      path,
      driverString: "nvidia",
      driver: makeNvidiaDriver(spec, budget, Number.POSITIVE_INFINITY),
    });
    return;
  }
  addFunction(kernel, { ...seat, sriov: { total: functions.length, addresses: functions } });
  for (const [index, address] of functions.entries()) {
    const { iommuGroup, ...rest } = seat;
    const group = iommuGroup === undefined ? {} : { iommuGroup: iommuGroup + 1 + index };
    const virtual = { ...rest, ...group, address, subsystemDevice: "0000", physicalFunction: machine.address };
    const path = addFunction(kernel, virtual);
    addParent(kernel, core, { path, driverString: "nvidia", driver: makeNvidiaDriver(spec, budget, 1) });
  }
}

function addParent(kernel: Kernel, core: MdevCore, parent: ParentSpec): void {
  loadBuild(kernel, parent.driver.busDriver.module);
  core.registerParent(parent);
}

function addFunction(kernel: Kernel, spec: PciFunctionSpec): string {
  if (spec.driver !== undefined) loadBuild(kernel, spec.driver.module);
  return addPciFunction(kernel, spec);
}

function loadBuild(kernel: Kernel, name: string): void {
  loadModule(kernel, BUILDS.find((build) => build.name === name) ?? { name });
}

function seatOf(
  seat: Seat,
  ids: Pick<PciFunctionSpec, "vendor" | "device" | "subsystemDevice" | "classCode">,
): Omit<PciFunctionSpec, "driver"> {
  return {
    address: seat.address,
    ...ids,
    ...seat.pciIds,
    ...(seat.numaNode === undefined ? {} : { numaNode: seat.numaNode }),
    ...(seat.iommuGroup === undefined ? {} : { iommuGroup: seat.iommuGroup }),
    ...(seat.behind === undefined ? {} : { behind: seat.behind }),
  };
}

function driverOf(seat: Seat, name: string, module: string): { readonly name: string; readonly module: string } {
  return { name, module: seat.driverModule ?? module };
}
