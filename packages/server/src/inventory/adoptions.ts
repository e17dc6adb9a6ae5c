// SPDX-License-Identifier: Apache-2.0

import type { ViewedAdoption } from "./fleet-edit.ts";

interface Adopted {
  readonly parents: ReadonlySet<string>;
  readonly vms: ReadonlySet<string>;
}

/** What was handed over to Berth, by host. */
export class Adoptions {
  readonly #byHost = new Map<string, Adopted>();

  hasParent(host: string, parent: string): boolean {
    return this.#byHost.get(host)?.parents.has(parent) === true;
  }

  hasVm(host: string, vm: string): boolean {
    return this.#byHost.get(host)?.vms.has(vm) === true;
  }

  /** Whether it is what stands here of a host, in whatever order. */
  isSame(host: string, { parents, vms }: ViewedAdoption): boolean {
    const before = this.#byHost.get(host);
    return isSameSet(before?.parents, new Set(parents)) && isSameSet(before?.vms, new Set(vms));
  }

  /** Replaces what stands here of a host. False where it was the same. */
  put(host: string, adoption: ViewedAdoption): boolean {
    if (this.isSame(host, adoption)) return false;
    const adopted = { parents: new Set(adoption.parents), vms: new Set(adoption.vms) };
    if (adopted.parents.size + adopted.vms.size === 0) this.#byHost.delete(host);
    else this.#byHost.set(host, adopted);
    return true;
  }
}

function isSameSet(before: ReadonlySet<string> | undefined, after: ReadonlySet<string>): boolean {
  return (before?.size ?? 0) === after.size && [...after].every((name) => before?.has(name) === true);
}
