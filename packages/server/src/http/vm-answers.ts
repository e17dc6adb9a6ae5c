// SPDX-License-Identifier: Apache-2.0

import type { VmAnswer, VmItem } from "@berth/core/protocol/api/control-answers";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { FleetView } from "../inventory/fleet-view.ts";
import type { Control } from "./control.ts";
import { listBy } from "./list-answers.ts";
import type { Listed } from "./page.ts";
import { requireHost } from "./question-answers.ts";
import { quote } from "./served.ts";

/** VMs, sorted by host and id. */
export function listVms(view: FleetView, control: Control | undefined, host: string | undefined): Listed<VmItem> {
  return {
    entries: listBy({ view, host }, ({ host: { snapshot } }) => {
      const adopted = adoptedVms(control, snapshot.host);
      return snapshot.virtualMachines
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
        .map((vm) => ({ host: snapshot.host, ...vm, adopted: adopted.includes(vm.id) }));
    }),
    keyOf: (vm) => [vm.host, vm.id],
  };
}

/** One VM of a host. Throws BerthError `unknown_host`, `unknown_vm`. */
export function readVm(
  view: FleetView,
  control: Control | undefined,
  { host = "", id = "" }: Readonly<Record<string, string>>,
): VmAnswer {
  const { snapshot } = requireHost(view, host, "host").host;
  const vm = snapshot.virtualMachines.find((one) => one.id === id);
  if (vm !== undefined) {
    return { generation: view.generation, vm: { host, ...vm, adopted: adoptedVms(control, host).includes(id) } };
  }
  throw new BerthError("unknown_vm", `Host ${quote(host)} has no VM ${quote(id)}`, {
    place: "id",
    expected: "a VM that GET /v1/vms lists",
  });
}

function adoptedVms(control: Control | undefined, host: string): readonly string[] {
  return control?.replica.findHost(host)?.adoption?.document.vms ?? [];
}
