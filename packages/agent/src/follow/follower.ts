// SPDX-License-Identifier: Apache-2.0

import type { AgentEvent, AgentNotice, DesiredState, ProbeReply } from "@berth/core/provision/desired-state";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";

/** What came of following a desired state. */
export interface Followed {
  /** To be told until they are answered. */
  readonly events: readonly AgentEvent[];
  /** All that is in the way now. */
  readonly notices: readonly AgentNotice[];
  readonly probes: readonly ProbeReply[];
  /** Something on the host was changed: what was reported of it is out of date. */
  readonly hasChanged: boolean;
}

/**
 * Brings one host to what the control plane wants of it, again and again: finishes or takes back what a crash
 * interrupted, makes and unmakes devices, asks drivers. Owns the journals and the fences of its state directory.
 */
export interface Follower {
  /** Settles every run that a crash interrupted. Before the first look at a desired state. */
  recover(): Promise<readonly AgentNotice[]>;
  /**
   * Follows one desired state. A state that is older than one that was followed (same epoch, lower revision) is refused
   * with a notice and nothing is done. Never throws for what the host does: what fails is in the events or notices.
   */
  follow(desired: DesiredState, signal?: AbortSignal): Promise<Followed>;
  /** The control plane has taken in these events: journals and fences of claims that ended there are forgotten. */
  acknowledge(events: readonly AgentEvent[]): Promise<void>;
  /** One consistent look at the host, never in the middle of a claim. */
  readSnapshot(): Promise<HostSnapshot>;
  /** The highest fence that was ever admitted; 0: none. */
  readonly highestFence: number;
}
