// SPDX-License-Identifier: Apache-2.0

import type { ApBus } from "./ap-matrix.ts";
import type { DeviceUse } from "./device-use.ts";
import type { Reading } from "./evidence.ts";
import type { KernelBuild, ModuleBuild } from "./module-build.ts";
import type { ParentDevice } from "./parent-device.ts";
import type { PciFunction } from "./pci-function.ts";
import type { Problem } from "./problem.ts";
import type { VfioDevice } from "./vfio-device.ts";
import type { VirtualMachine } from "./virtual-machine.ts";

/** What one host showed at one moment, and everything that could not be read. Lists are sorted by id. */
export interface HostSnapshot {
  /** The host's name in the fleet. */
  readonly host: string;
  readonly kernel: KernelBuild;
  /** `ID` and `VERSION_ID` of /etc/os-release, such as `rhel 9.6`. */
  readonly os: Reading<string>;
  readonly parents: readonly ParentDevice[];
  readonly devices: readonly VfioDevice[];
  /** PCI functions that matter here: parents, PFs and VFs, functions bound to a VFIO driver. */
  readonly functions: readonly PciFunction[];
  /** Modules of the vendor drivers of parents and devices, and of VFIO itself. */
  readonly modules: readonly ModuleBuild[];
  /** s390 only. */
  readonly apBus?: ApBus;
  readonly virtualMachines: readonly VirtualMachine[];
  /** Who uses which device. Sorted by device, then by where it was read. */
  readonly uses: readonly DeviceUse[];
  /** Why users of devices may be missing from `uses`, a phrase each; empty: whoever uses a device was seen. */
  readonly unseenUsers: readonly string[];
  /** Facts about the whole host, by name, such as `qemu_version`, `libvirt_version`. */
  readonly facts: Readonly<Record<string, Reading<string>>>;
  readonly problems: readonly Problem[];
}
