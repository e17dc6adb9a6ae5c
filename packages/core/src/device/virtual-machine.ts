// SPDX-License-Identifier: Apache-2.0

import type { Evidence, Reading } from "./evidence.ts";

/** `running`: a process or a live description shows it; `defined`: it is shut off; `unknown`: neither can be told. */
export type VmState = "running" | "defined" | "unknown";

/**
 * Whose VM it is. `unknown` is foreign too: nothing on the host says who made it. `berth` stands for a VM that was handed
 * over, which no file on a host says: discovery never answers it.
 */
export interface VmOwner {
  readonly kind: "berth" | "nova" | "kubevirt" | "proxmox" | "ovirt" | "unknown";
  /** The mark that says so; for `unknown` the place where a mark would be. */
  readonly evidence: Evidence;
}

/** One way in which it is known that a VM has a device. */
export interface VmDeviceMark {
  /** `open-file`: its process holds the device open; `argument`: its command line; `definition`: a live or stored one. */
  readonly how: "open-file" | "argument" | "definition";
  readonly evidence: Evidence;
}

/** A device of a VM. The host need not show it: a definition may name one that does not exist now. */
export interface VmDevice {
  /** Id as `VfioDevice.id` has it: UUID or PCI address. */
  readonly device: string;
  readonly known: readonly [VmDeviceMark, ...VmDeviceMark[]];
}

/** A virtual machine of one host, put together from every place that shows it. */
export interface VirtualMachine {
  /** Its UUID, or its name where it has none, or `pid-N` where it has neither. Unique on its host. */
  readonly id: string;
  /** For people: the name, or the id where it has none. Printable. */
  readonly name: string;
  readonly uuid?: string;
  /** Of its process, where one is seen. */
  readonly pid?: number;
  readonly state: VmState;
  readonly owner: VmOwner;
  /** Sorted by device id. */
  readonly devices: readonly VmDevice[];
  /** The guest's memory in KiB. */
  readonly memoryKib: Reading<number>;
  /** Size of the hugepages behind the guest's memory in KiB; absent where its definition asks for none. */
  readonly hugepageKib: Reading<number>;
}
