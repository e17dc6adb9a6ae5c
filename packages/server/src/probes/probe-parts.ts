// SPDX-License-Identifier: Apache-2.0

import type { Memory } from "@berth/core/compatibility/pair";
import type { Policy } from "@berth/core/compatibility/policy";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import type { Held, Replica } from "../replica/replica.ts";
import type { ProbeDocument } from "../documents/documents.ts";

/** The fleet as a probe book sees it. */
export interface ProbedFleet {
  readonly policy: Policy;
  findHost(name: string): { readonly host: { readonly snapshot: HostSnapshot } } | undefined;
}

/** What a probe book is made of. */
export interface ProbeBookParts {
  readonly replica: Pick<Replica, "store" | "listProbes" | "isProbeInForce" | "reached"> & {
    readonly view: ProbedFleet & { readonly memory: Memory };
  };
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A fresh id, sortable by time of making: of probes and of audit entries. */
  readonly newId: () => string;
  /** Probes that are kept, 10,000 unless said: the oldest go first. A fleet needs one for each pair of classes. */
  readonly keep?: number;
}

export type HeldProbe = Held<ProbeDocument>;

/** Whether the driver was asked, and answered. */
export function isAnswered({ reply }: ProbeDocument): boolean {
  return reply !== undefined && reply.outcome.kind !== "not-asked";
}
