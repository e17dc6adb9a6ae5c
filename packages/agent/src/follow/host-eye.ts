// SPDX-License-Identifier: Apache-2.0

import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { factsOfSnapshot } from "@berth/core/provision/facts-of-snapshot";
import type { HostFacts, ParentFacts } from "@berth/core/provision/host-facts";
import { readHost } from "../discovery/read-host.ts";
import type { SysfsTree } from "../host/sysfs-tree.ts";

/** One look at the host. */
export interface HostLook {
  readonly tree: SysfsTree;
  readonly snapshot: HostSnapshot;
  readonly facts: HostFacts;
}

/** Looks at the host, as often as is needed and no oftener. */
export interface HostEye {
  /** What stands now: nothing was changed since by this agent, and it is a moment old at most. */
  look(): HostLook;
  /** Whatever was seen before counts no more. */
  blink(): void;
  /** Something was written: earlier looks are out of date. */
  noteChange(): void;
  /** How often something was written. */
  readonly changes: number;
}

/** What an eye needs. */
export interface EyeParts {
  readonly host: string;
  readonly look: () => SysfsTree;
  readonly tool: ParentFacts["tool"];
  readonly now: () => number;
}

/** How old a look may be that decides about a claim. */
const MAX_AGE_MS = 1000;

/** Makes the eye of one host. A look is shared by claims that are looked after in the same moment: it costs a whole scan. */
export function makeHostEye({ host, look, tool, now }: EyeParts): HostEye {
  let last: { readonly look: HostLook; readonly atMs: number } | undefined;
  let changes = 0;
  return {
    look: () => {
      const atMs = now();
      if (last !== undefined && atMs >= last.atMs && atMs - last.atMs < MAX_AGE_MS) return last.look;
      const tree = look();
      const snapshot = readHost(tree, host);
      const fresh = { tree, snapshot, facts: factsOfSnapshot(snapshot, tool) };
      last = { look: fresh, atMs };
      return fresh;
    },
    blink: () => {
      last = undefined;
    },
    noteChange: () => {
      changes += 1;
      last = undefined;
    },
    get changes() {
      return changes;
    },
  };
}
