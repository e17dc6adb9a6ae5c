// SPDX-License-Identifier: Apache-2.0

import type { PciAddress } from "./address.ts";
import type { Reading } from "./evidence.ts";

/** PCI ids of one function, lower-case hexadecimal without 0x, four digits each (class six). */
export interface PciIds {
  readonly vendor: string;
  readonly device: string;
  readonly subsystemVendor: string;
  readonly subsystemDevice: string;
}

/** One PCI function, as sysfs shows it. */
export interface PciFunction {
  readonly address: PciAddress;
  /** Absolute path under /sys. */
  readonly path: string;
  readonly ids: Reading<PciIds>;
  /** Class code, six digits. */
  readonly classCode: Reading<string>;
  readonly driver: Reading<string>;
  /** Kernel module behind the driver; it need not have the driver's name. */
  readonly module: Reading<string>;
  /** `pf`: has virtual functions or could have; `vf`: is one; `plain`: neither. */
  readonly role: "pf" | "vf" | "plain";
  /** A VF's physical function. */
  readonly physicalFunction?: PciAddress;
  /** A PF's virtual functions, by index. */
  readonly virtualFunctions: readonly PciAddress[];
  readonly totalVirtualFunctions: Reading<number>;
  /** -1 in the kernel's text means no node and is read as absent. */
  readonly numaNode: Reading<number>;
  readonly iommuGroup: Reading<number>;
  /** Bound to a driver that hands the function to a guest: `vfio-pci` or a variant driver. */
  readonly assigned: boolean;
}
