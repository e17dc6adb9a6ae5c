// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "@berth/core/protocol/berth-error";
import type { AgentDesk } from "../agents/agent-desk.ts";
import type { ClaimBook } from "../claims/claim-book.ts";
import type { HostOrders } from "../orders/host-orders.ts";
import type { ProbeBook } from "../probes/probe-book.ts";
import type { Replica } from "../replica/replica.ts";

/** Everything of a control plane that the API speaks to. A server without one shows hosts and keeps no claims. */
export interface Control {
  /** Its view is the one that is served. */
  readonly replica: Replica;
  readonly claims: ClaimBook;
  readonly agents: AgentDesk;
  readonly orders: HostOrders;
  readonly probes: ProbeBook;
  /**
   * Writes a consistent copy of the store into a fresh file and answers its path; the file is removed when it is sent.
   * Absent: the store is backed up by its own tools.
   */
  readonly backup?: () => Promise<string>;
}

/** The control plane of a server. Throws BerthError `read_only_server` where there is none. */
export function requireControl(control: Control | undefined): Control {
  if (control !== undefined) return control;
  throw new BerthError("read_only_server", "This server shows hosts and keeps no claims", {
    expected: "a server with a store, as `berth server` without --host starts one",
  });
}
