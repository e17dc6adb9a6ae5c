// SPDX-License-Identifier: Apache-2.0

import type { AdoptionBody } from "@berth/core/protocol/api/control-requests";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { AdoptionDocument } from "../documents/documents.ts";
import { requireHost, type OrderParts } from "./order.ts";

/** Characters of an adoption that is looked through: the audit of a change holds it twice, and must fit into one document. */
const LARGE = 24 * 1024;

/** Throws BerthError unknown_host, unknown_parent, unknown_vm where the host does not show what is to be handed over. */
export function requireItem(parts: OrderParts, body: AdoptionBody): void {
  requireHost(parts, body.host);
  const snapshot = parts.replica.view.findHost(body.host)?.host.snapshot;
  const on = `Host ${JSON.stringify(body.host)}`;
  if ("parent" in body) {
    if (snapshot?.parents.some(({ id }) => id === body.parent) === true) return;
    throw new BerthError("unknown_parent", `${on} has no parent ${JSON.stringify(body.parent)}`);
  }
  if (snapshot?.virtualMachines.some(({ id }) => id === body.vm) === true) return;
  throw new BerthError("unknown_vm", `${on} has no VM ${JSON.stringify(body.vm)}`);
}

/** The adoption with one thing more; the same where it has it. */
export function withItem(document: AdoptionDocument | undefined, body: AdoptionBody): AdoptionDocument {
  const { host, parents, vms }: AdoptionDocument = document ?? { host: body.host, parents: [], vms: [] };
  if ("parent" in body) {
    if (document?.parents.includes(body.parent) === true) return document;
    return { host, parents: [...parents, body.parent].toSorted(), vms };
  }
  if (document?.vms.includes(body.vm) === true) return document;
  return { host, parents, vms: [...vms, body.vm].toSorted() };
}

/**
 * The adoption, the same one while it is small. VMs come and go, and what was handed over stays: where it has grown large, VMs that
 * the host does not show are left out. One that comes back is to be handed over again.
 */
export function withoutGone({ replica }: OrderParts, document: AdoptionDocument): AdoptionDocument {
  if (JSON.stringify(document).length <= LARGE) return document;
  const shown = replica.view.findHost(document.host)?.host.snapshot.virtualMachines ?? [];
  const ids = new Set(shown.map(({ id }) => id));
  const vms = document.vms.filter((id) => ids.has(id));
  return vms.length === document.vms.length ? document : { ...document, vms };
}

/** The adoption with one thing less; the same where it lacks it, none where nothing is left. */
export function withoutItem(document: AdoptionDocument | undefined, body: AdoptionBody): AdoptionDocument | undefined {
  if (document === undefined) return undefined;
  const parents = "parent" in body ? document.parents.filter((id) => id !== body.parent) : document.parents;
  const vms = "vm" in body ? document.vms.filter((id) => id !== body.vm) : document.vms;
  if (parents.length + vms.length === document.parents.length + document.vms.length) return document;
  return parents.length + vms.length === 0 ? undefined : { host: document.host, parents, vms };
}
