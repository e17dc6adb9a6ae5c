// SPDX-License-Identifier: Apache-2.0

import type { Memory } from "@berth/core/compatibility/pair";
import { NO_MEMORY } from "@berth/core/compatibility/pair";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { memoryOfProbes } from "../replica/probe-memory.ts";
import { isAnswered, type HeldProbe, type ProbeBookParts } from "./probe-parts.ts";
import { isStillAsked } from "./probe-question.ts";

/** Which answers count now, and what they come to. */
export interface ProbeMemory {
  isInForce(probe: HeldProbe): boolean;
  /** The same object as long as nothing of it has changed. */
  read(): Memory;
}

/** What was found of one probe, and what it was found on. */
interface Found {
  readonly revision: number;
  readonly snapshot: HostSnapshot | undefined;
  readonly agent: number | undefined;
  readonly inForce: boolean;
}

/** Looks at each probe again only when its host has changed. */
export function makeProbeMemory({ replica }: Pick<ProbeBookParts, "replica">): ProbeMemory {
  const found = new Map<string, Found>();
  let memory = NO_MEMORY;
  let [readAt, text] = ["", ""];
  const isInForce = (held: HeldProbe): boolean => {
    const { document, revision } = held;
    if (!isAnswered(document)) return false;
    const snapshot = replica.view.findHost(document.host)?.host.snapshot;
    const agent = replica.findHost(document.host)?.agent;
    const known = found.get(document.id);
    const isFresh = known?.revision === revision && known.snapshot === snapshot && known.agent === agent?.revision;
    if (isFresh) return known.inForce;
    const isListened = agent?.document.revokedAtMs === undefined;
    const inForce = isListened && isStillAsked(replica.view, document);
    found.set(document.id, { revision, snapshot, agent: agent?.revision, inForce });
    return inForce;
  };
  return {
    isInForce,
    read: () => {
      const { epoch, revision } = replica.cursor;
      if (readAt === `${epoch} ${revision}`) return memory;
      const probes = replica.listProbes();
      forgetGone(found, probes);
      const answers = probes.filter(isInForce).map(({ document }) => document);
      const next = JSON.stringify(answers.map(({ id, reply }) => [id, reply]));
      if (next !== text) memory = memoryOfProbes(answers);
      [readAt, text] = [`${epoch} ${revision}`, next];
      return memory;
    },
  };
}

function forgetGone(found: Map<string, Found>, probes: readonly HeldProbe[]): void {
  if (found.size <= probes.length) return;
  const there = new Set(probes.map(({ document }) => document.id));
  for (const id of found.keys()) if (!there.has(id)) found.delete(id);
}
