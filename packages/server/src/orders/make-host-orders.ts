// SPDX-License-Identifier: Apache-2.0

import type { AdoptionItem } from "@berth/core/protocol/api/control-answers";
import type { AdoptionBody } from "@berth/core/protocol/api/control-requests";
import type { Caller } from "../claims/claim-book.ts";
import type { AdoptionDocument, CordonDocument } from "../documents/documents.ts";
import { requireItem, withItem, withoutGone, withoutItem } from "./adopted-items.ts";
import { forgetHost } from "./forget-host.ts";
import type { HostOrders } from "./host-orders.ts";
import { order, type Order, type OrderParts } from "./order.ts";

/** What operators order of hosts, on one replica. */
export function makeHostOrders(parts: OrderParts): HostOrders {
  return {
    cordon: async (host, { reason }, caller) => {
      const why = reason === undefined ? {} : { reason };
      const document = { host, principal: caller.principal, atMs: parts.now(), ...why };
      return await order<CordonDocument>(parts, cordonOrder(host, "host.cordon", caller), (found) => found ?? document);
    },
    uncordon: async (host, caller) =>
      order<CordonDocument>(parts, cordonOrder(host, "host.uncordon", caller), () => undefined),
    adopt: async (body, caller) => {
      requireItem(parts, body);
      return await order<AdoptionDocument>(parts, adoptionOrder(body, "host.adopt", caller), (found) =>
        withoutGone(parts, withItem(found, body)),
      );
    },
    disown: async (body, caller) =>
      order<AdoptionDocument>(parts, adoptionOrder(body, "host.disown", caller), (found) => withoutItem(found, body)),
    listAdoptions: () => listAdoptions(parts),
    forget: async (host, caller) => forgetHost(parts, host, caller),
  };
}

function cordonOrder(host: string, action: string, { principal }: Caller): Order {
  return { host, kind: "cordon", action, principal };
}

function adoptionOrder({ host }: AdoptionBody, action: string, { principal }: Caller): Order {
  return { host, kind: "adoption", action, principal };
}

function listAdoptions({ replica }: OrderParts): readonly AdoptionItem[] {
  return replica.view.hostNames.flatMap((name) => {
    const { host = name, parents = [], vms = [] } = replica.findHost(name)?.adoption?.document ?? {};
    return parents.length + vms.length === 0 ? [] : [{ host, parents, vms }];
  });
}
