// SPDX-License-Identifier: Apache-2.0

import { readAllPages } from "@berth/core/protocol/api/client";
import type { AdoptionBody } from "@berth/core/protocol/api/control-requests";
import { BerthError } from "@berth/core/protocol/berth-error";
import { findVms, splitReference, type Lookup } from "./server-reference.ts";

/** What may be handed over: a parent or a VM of a host. */
interface Adoptable {
  readonly body: AdoptionBody;
  /** With its host in front. */
  readonly name: string;
}

/** Reads `[host:]parent`, or `[host:]name` or `[host:]uuid` of a VM. Throws BerthError unknown_parent, unknown_host, ambiguous_device. */
export async function findAdoptable(text: string, lookup: Lookup): Promise<AdoptionBody> {
  const { host } = splitReference(text);
  // A fleet's parents are megabytes: those of one host are asked for where it is named.
  const ofHost = host === undefined ? {} : { host };
  const [parents, vms] = await Promise.all([
    readAllPages((query) => lookup.inventory.listParents({ ...query, ...ofHost })),
    findVms(text, lookup),
  ]);
  const found: readonly Adoptable[] = [
    ...parents.items
      .filter(({ host, id }) => text === id || text === `${host}:${id}`)
      .map(({ host, id }) => ({ body: { host, parent: id }, name: `${host}:${id}` })),
    ...vms.map(({ host, id }) => ({ body: { host, vm: id }, name: `${host}:${id}` })),
  ];
  return onlyOne(text, found, "berth hosts and berth vms list what there is");
}

/** The same among what was handed over: it need not be shown by its host any more. */
export async function findAdopted(text: string, lookup: Lookup): Promise<AdoptionBody> {
  const [{ items }, vms] = await Promise.all([
    readAllPages((query) => lookup.control.listAdoptions(query)),
    findVms(text, lookup),
  ]);
  const named = new Set(vms.map(({ host, id }) => `${host}:${id}`));
  const found = items.flatMap(({ host, parents, vms: ids }): readonly Adoptable[] => [
    ...parents
      .filter((parent) => text === parent || text === `${host}:${parent}`)
      .map((parent) => ({ body: { host, parent }, name: `${host}:${parent}` })),
    ...ids
      .filter((vm) => text === vm || text === `${host}:${vm}` || named.has(`${host}:${vm}`))
      .map((vm) => ({ body: { host, vm }, name: `${host}:${vm}` })),
  ]);
  return onlyOne(text, found, "berth adoptions lists what was handed over");
}

function onlyOne(text: string, found: readonly Adoptable[], hint: string): AdoptionBody {
  const [first, ...others] = found;
  const quoted = JSON.stringify(text.slice(0, 80));
  if (first === undefined) {
    throw new BerthError("unknown_parent", `No parent and no VM is called ${quoted}`, { place: text, expected: hint });
  }
  if (others.length === 0) return first.body;
  throw new BerthError("ambiguous_device", `${found.length} parents or VMs are called ${quoted}`, {
    place: text,
    expected: `one of ${found
      .map(({ name }) => name)
      .slice(0, 8)
      .join(", ")}`,
  });
}
