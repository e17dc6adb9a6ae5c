// SPDX-License-Identifier: Apache-2.0

import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import type { VirtualMachine } from "@berth/core/device/virtual-machine";
import { BerthError } from "@berth/core/protocol/berth-error";

/** A VM that a person points at, on its host. */
export interface VmReference {
  readonly host: string;
  readonly vm: VirtualMachine;
}

/**
 * Reads `[host:]name` or `[host:]uuid` of a VM against the hosts at hand; undefined where no VM fits. Throws BerthError
 * ambiguous_vm where several do.
 */
export function findVmReference(text: string, snapshots: readonly HostSnapshot[]): VmReference | undefined {
  const found = snapshots.flatMap((snapshot) => {
    const { host } = snapshot;
    const names = text.startsWith(`${host}:`) ? [text, text.slice(host.length + 1)] : [text];
    return snapshot.virtualMachines
      .filter((vm) => names.some((name) => isCalled(vm, name)))
      .map((vm) => ({ host, vm }));
  });
  const [first, ...others] = found;
  if (others.length === 0) return first;
  throw new BerthError("ambiguous_vm", `${found.length} VMs are called ${JSON.stringify(text.slice(0, 80))}`, {
    place: text,
    expected: `one of ${found
      .map(({ host, vm }) => `${host}:${vm.id}`)
      .slice(0, 8)
      .join(", ")}`,
  });
}

/** Reads a reference that must be a VM. Throws BerthError unknown_vm or ambiguous_vm. */
export function findVm(text: string, snapshots: readonly HostSnapshot[]): VmReference {
  const found = findVmReference(text, snapshots);
  if (found !== undefined) return found;
  const names = snapshots.flatMap(({ host, virtualMachines }) => virtualMachines.map(({ name }) => `${host}:${name}`));
  const shown = names.slice(0, 8).join(", ");
  const more = names.length > 8 ? `, and ${names.length - 8} more` : "";
  throw new BerthError("unknown_vm", `No VM ${JSON.stringify(text.slice(0, 80))} on the hosts given`, {
    place: text,
    expected: names.length === 0 ? "no VM is seen on any of them" : `one of ${shown}${more}`,
  });
}

/** Whether the text names a device, which a reference then means rather than a VM. */
export function isDeviceName(text: string, snapshots: readonly HostSnapshot[]): boolean {
  const lower = text.toLowerCase();
  return snapshots.some(({ host, devices }) =>
    devices.some(({ id }) => lower === id || lower === `${host.toLowerCase()}:${id}`),
  );
}

function isCalled({ id, uuid, name }: VirtualMachine, text: string): boolean {
  return text === id || text === name || (uuid !== undefined && text.toLowerCase() === uuid);
}
