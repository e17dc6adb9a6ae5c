// SPDX-License-Identifier: Apache-2.0

import type { Evidence } from "@berth/core/device/evidence";
import type { VmDeviceMark, VmOwner } from "@berth/core/device/virtual-machine";

/** A VM as one place shows it: its process, a live description, or a stored one. */
export interface VmSighting {
  readonly from: "process" | "live" | "stored";
  readonly by: "qemu" | "libvirt" | "proxmox";
  readonly name?: string;
  readonly uuid?: string;
  readonly pid?: number;
  /** Program of a process. */
  readonly command?: string;
  /** Known where a mark says so. */
  readonly owner?: VmOwner;
  readonly devices: readonly SeenDevice[];
  readonly memoryKib?: number;
  readonly hugepageKib?: number;
  readonly evidence: Evidence;
}

/** A device that a sighting names. */
export interface SeenDevice extends VmDeviceMark {
  readonly device: string;
}

/** Marks of the stacks in libvirt's metadata: the namespace, its version left out. */
const NAMESPACES: readonly (readonly [VmOwner["kind"], RegExp])[] = [
  ["nova", /^http:\/\/openstack\.org\/xmlns\/libvirt\/nova(?:\/|$)/],
  ["kubevirt", /^https?:\/\/kubevirt\.io(?:\/|$)/],
  ["ovirt", /^http:\/\/ovirt\.org\/vm(?:\/|$)/],
];

/** Whose VM the namespaces of a domain's metadata say it is; undefined where none does. */
export function findOwnerMark(namespaces: readonly string[], evidence: Evidence): VmOwner | undefined {
  for (const text of namespaces) {
    const mark = NAMESPACES.find(([, pattern]) => pattern.test(text));
    if (mark !== undefined) return { kind: mark[0], evidence: { ...evidence, text: text.slice(0, 200) } };
  }
  return undefined;
}
