// SPDX-License-Identifier: Apache-2.0

import type { PciAddress, SubchannelId } from "./address.ts";
import type { Reading } from "./evidence.ts";
import type { MdevType, TypeId } from "./mdev-type.ts";

/** Who owns the room that a parent's types share. With SR-IOV it is not the parent. */
export type PoolOwner =
  | { readonly kind: "parent"; readonly id: string }
  | { readonly kind: "physical-function"; readonly id: PciAddress }
  | { readonly kind: "gpu-instance"; readonly id: PciAddress; readonly instance: number }
  | { readonly kind: "unknown"; readonly why: string };

/** A physical device that VM devices are made from: on the mdev bus, or a VF in the vendor VFIO framework. */
export interface ParentDevice {
  /** Name under /sys/class/mdev_bus: a PCI address, `mtty`, `matrix`, a subchannel id. */
  readonly id: string;
  readonly framework: "mdev" | "vendor-vfio";
  /** Absolute path under /sys/devices, or where it was found when the link could not be resolved. */
  readonly path: string;
  readonly driver: Reading<string>;
  /** Kernel module of the vendor driver; absent where sysfs does not lead to one. */
  readonly module: Reading<string>;
  /** Set when the parent is a PCI function of this host. */
  readonly pci?: PciAddress;
  readonly numaNode: Reading<number>;
  readonly iommuGroup: Reading<number>;
  readonly poolOwner: PoolOwner;
  /** Sorted by type id. In the vendor framework: what the function can be set to, and what it is set to. */
  readonly types: readonly MdevType[];
  /** Vendor framework: the type the function is set to; absent when none. */
  readonly currentType: Reading<TypeId>;
  /** vfio-ccw parents only. */
  readonly subchannel?: Subchannel;
  /** Vendor facts for driver packs, by name, such as `ecc_mode`. */
  readonly facts: Readonly<Record<string, Reading<string>>>;
}

/** An I/O subchannel bound to vfio_ccw (section 7.2). */
export interface Subchannel {
  readonly id: SubchannelId;
  /** 0 is an I/O subchannel. */
  readonly type: Reading<number>;
  /** Channel path ids in use, two hexadecimal digits each, masked-off positions left out. */
  readonly chpids: Reading<readonly string[]>;
  /** Types of those channel paths, such as `0x1a` or `1a` for FICON, normalised to two hexadecimal digits. */
  readonly chpidTypes: Reading<readonly string[]>;
}
