// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "../device/quoted-text.ts";

/** Parents on the mdev bus, one link each. */
export const MDEV_BUS_CLASS = "/sys/class/mdev_bus";
/** mdev devices, one link each, named by UUID. */
export const MDEV_DEVICES = "/sys/bus/mdev/devices";
/** PCI functions, one link each, named by address. */
export const PCI_DEVICES = "/sys/bus/pci/devices";
/** The AP bus of s390: masks, limits, cards and queues. */
export const AP_BUS = "/sys/bus/ap";
/** The parent of all vfio-ap devices. */
export const AP_MATRIX = "/sys/bus/matrix/devices/matrix";
/** Loaded modules. */
export const MODULES = "/sys/module";
/** VFIO debugfs: one folder a device. Present from Linux 6.8 with CONFIG_VFIO_DEBUGFS. */
export const VFIO_DEBUGFS = "/sys/kernel/debug/vfio";

/** Path of a parent on the mdev bus. Throws SyntaxError for what cannot be a name. */
export function parentPath(parent: string): string {
  return `${MDEV_BUS_CLASS}/${checkName(parent)}`;
}

/** Path of a parent's folder of types. */
export function typesPath(parent: string): string {
  return `${parent}/mdev_supported_types`;
}

/** Path of one type under the path of its parent. Throws SyntaxError for what cannot be a name. */
export function typePath(parent: string, typeId: string): string {
  return `${typesPath(parent)}/${checkName(typeId)}`;
}

/** Path of an mdev device. Throws SyntaxError for what cannot be a name. */
export function devicePath(uuid: string): string {
  return `${MDEV_DEVICES}/${checkName(uuid)}`;
}

/** Path of a PCI function. Throws SyntaxError for what cannot be a name. */
export function functionPath(address: string): string {
  return `${PCI_DEVICES}/${checkName(address)}`;
}

/** Path of a loaded module; the kernel writes `_` where a module's name has `-`. Throws SyntaxError. */
export function modulePath(name: string): string {
  return `${MODULES}/${checkName(name).replaceAll("-", "_")}`;
}

/** Path of a device's folder in VFIO debugfs; `device` is its UUID or address. Throws SyntaxError. */
export function migrationDebugPath(device: string): string {
  return `${VFIO_DEBUGFS}/${checkName(device)}/migration`;
}

/** One component of a path: nothing that leads elsewhere. */
function checkName(name: string): string {
  if (name !== "" && name !== "." && name !== ".." && name.length <= 255 && !/[/\0]/.test(name)) return name;
  throw new SyntaxError(`Cannot build path: expected the name of a file, got ${quoteText(name)}`);
}
