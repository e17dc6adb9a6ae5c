// SPDX-License-Identifier: Apache-2.0

import type { Evidence } from "./evidence.ts";
import type { HostSnapshot } from "./host-snapshot.ts";

/** Who uses a device, by what shows it. `vm` is the id of a `VirtualMachine`. */
export type DeviceUser =
  /** A process holds it open, or was started with it. */
  | {
      readonly kind: "process";
      readonly pid: number;
      readonly command: string;
      readonly how: "open-file" | "argument";
      readonly vm?: string;
    }
  /** The live description of a running domain names it. */
  | { readonly kind: "domain"; readonly vm: string }
  /** A stored definition names it: of a VM (libvirt, proxmox), or the device's own (mdevctl), which no VM need use. */
  | { readonly kind: "definition"; readonly by: "libvirt" | "proxmox"; readonly vm: string }
  | { readonly kind: "definition"; readonly by: "mdevctl"; readonly start: "auto" | "manual" };

/** One user of one device. */
export interface DeviceUse {
  /** Id as `VfioDevice.id` has it. The host need not show such a device. */
  readonly device: string;
  readonly user: DeviceUser;
  readonly evidence: Evidence;
}

/** Whether anybody uses a device. `unknown`: nobody was seen, and not every user could have been. */
export interface Usage {
  readonly kind: "used" | "unused" | "unknown";
  /** For a person, no full stop, such as `in use by VM web1 (pid 4242)`. */
  readonly text: string;
}

/** What of a host tells who uses its devices. */
export type UseView = Pick<HostSnapshot, "uses" | "unseenUsers" | "virtualMachines">;

/**
 * Whether a device is in use, and by whom. A shut-off VM whose definition names the device is a user: it takes it back
 * when it starts. The device's own mdevctl definition is none.
 */
export function explainUsage(view: UseView, device: string): Usage {
  const users = view.uses.filter((use) => use.device === device).map(({ user }) => user);
  const vms = new Map<string, string>();
  const others = new Map<number, string>();
  for (const user of users) {
    if (user.kind === "definition" && user.by === "mdevctl") continue;
    if (user.vm !== undefined) vms.set(user.vm, describeVm(view, user.vm));
    else if (user.kind === "process") others.set(user.pid, `process ${user.command} (pid ${user.pid})`);
  }
  const names = [...vms.values(), ...others.values()];
  if (names.length > 0) return { kind: "used", text: `in use by ${names.join(", ")}` };
  const [unseen] = view.unseenUsers;
  if (unseen !== undefined) return { kind: "unknown", text: `whether a VM uses it is not known: ${unseen}` };
  const isDefined = users.length > 0;
  return { kind: "unused", text: isDefined ? "unused, with a definition in mdevctl" : "unused" };
}

function describeVm(view: UseView, id: string): string {
  const vm = view.virtualMachines.find((candidate) => candidate.id === id);
  if (vm === undefined) return `VM ${id}`;
  if (vm.pid !== undefined) return `VM ${vm.name} (pid ${vm.pid})`;
  return vm.state === "running"
    ? `VM ${vm.name}`
    : `VM ${vm.name} (${vm.state === "defined" ? "shut off" : "not known to run"})`;
}
