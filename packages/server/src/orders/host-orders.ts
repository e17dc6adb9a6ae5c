// SPDX-License-Identifier: Apache-2.0

import type { AdoptionItem, DoneAnswer } from "@berth/core/protocol/api/control-answers";
import type { AdoptionBody, CordonBody } from "@berth/core/protocol/api/control-requests";
import type { Caller } from "../claims/claim-book.ts";

/** What operators order of hosts. Each order is one transaction with its audit; one that changes nothing writes nothing. */
export interface HostOrders {
  /** Nothing is placed on the host any more; what is there stays. Throws BerthError unknown_host. */
  cordon(host: string, body: CordonBody, caller: Caller): Promise<DoneAnswer>;
  uncordon(host: string, caller: Caller): Promise<DoneAnswer>;
  /** Hands a parent or a VM over to Berth. Throws BerthError unknown_host, unknown_parent, unknown_vm. */
  adopt(body: AdoptionBody, caller: Caller): Promise<DoneAnswer>;
  /** Takes it back from Berth. Claims that stand there stay. */
  disown(body: AdoptionBody, caller: Caller): Promise<DoneAnswer>;
  /** Sorted by host; hosts of which nothing was handed over are left out. */
  listAdoptions(): readonly AdoptionItem[];
  /** Forgets a host: its inventory, agent, cordon and adoption. Throws BerthError unknown_host, host_holds_claims. */
  forget(host: string, caller: Caller): Promise<DoneAnswer>;
}
