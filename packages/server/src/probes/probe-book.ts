// SPDX-License-Identifier: Apache-2.0

import type { Memory } from "@berth/core/compatibility/pair";
import type { ProbeItem } from "@berth/core/protocol/api/control-answers";
import type { ProbeBody } from "@berth/core/protocol/api/control-requests";
import type { ProbeReply } from "@berth/core/provision/desired-state";
import type { Caller } from "../claims/claim-book.ts";

/** Explicit probes of `migration_version` (R8): asked of the destination's agent, and remembered. */
export interface ProbeBook {
  /**
   * Has the destination's driver asked. An equal question that was answered and is in force is answered from memory.
   * Throws BerthError unknown_host, unknown_device, unknown_parent, unknown_type, invalid_reference (another vendor's
   * driver, no `migration_version` at an end, a device in use).
   */
  probe(body: ProbeBody, caller: Caller): Promise<ProbeItem>;
  find(id: string): ProbeItem | undefined;
  /** Newest first. */
  list(): readonly ProbeItem[];
  /** Takes in what the agent of a host says. */
  hear(host: string, replies: readonly ProbeReply[]): Promise<void>;
  /** All answers in force, as the rules read them. */
  readonly memory: Memory;
}
