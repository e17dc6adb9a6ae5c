// SPDX-License-Identifier: Apache-2.0

import { NO_MEMORY, type Memory } from "@berth/core/compatibility/pair";
import { pairKey } from "@berth/core/compatibility/pair-key";
import type { Policy } from "@berth/core/compatibility/policy";
import { known } from "@berth/core/device/evidence";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { profileOfDevice, profileOfType } from "@berth/core/inventory/profile";
import type { AgentDocument, ProbeDocument } from "../documents/documents.ts";
import { memoryOfProbes } from "./probe-memory.ts";
import type { Held } from "./replica.ts";
import type { Touched } from "./stored-documents.ts";

/** The hosts that answers of drivers rest on. */
export interface AnsweringHosts {
  readonly policy: Policy;
  findSnapshot(host: string): HostSnapshot | undefined;
  findAgent(host: string): Held<AgentDocument> | undefined;
}

/** What was found of one answer, and what it was found on. */
interface Found {
  readonly held: Held<ProbeDocument>;
  readonly snapshot: HostSnapshot | undefined;
  readonly agent: number | undefined;
  readonly inForce: boolean;
}

/**
 * Which answers of drivers count now, and what they come to: those of hosts whose agent is listened to and that still show
 * what the answer was remembered for. An answer is looked at again only when it or its host has changed.
 */
export class ProbesInForce {
  readonly #hosts: AnsweringHosts;
  #found: ReadonlyMap<string, Found> = new Map();
  /** Hosts that have answered. */
  #answering: ReadonlySet<string> = new Set();
  #counted: readonly Held<ProbeDocument>[] = [];
  #memory: Memory = NO_MEMORY;

  constructor(hosts: AnsweringHosts) {
    this.#hosts = hosts;
  }

  /** The same object as long as no answer comes, goes or changes. */
  get memory(): Memory {
    return this.#memory;
  }

  has(id: string): boolean {
    return this.#found.get(id)?.inForce === true;
  }

  /** Whether changes may be of any answer. */
  isTouched({ probe, inventory, agent, catalogue }: Touched): boolean {
    if (probe.size > 0) return true;
    if (this.#answering.size === 0) return false;
    return catalogue.size > 0 || [...inventory, ...agent].some((host) => this.#answering.has(host));
  }

  /** Finds anew which of all probes count. */
  take(probes: readonly Held<ProbeDocument>[]): void {
    const answered = probes.filter(
      ({ document: { reply } }) => reply !== undefined && reply.outcome.kind !== "not-asked",
    );
    this.#found = new Map(answered.map((held) => [held.document.id, this.#look(held)]));
    this.#answering = new Set(answered.map(({ document }) => document.host));
    const counted = answered.filter(({ document }) => this.has(document.id));
    const before = this.#counted;
    this.#counted = counted;
    if (counted.length === before.length && counted.every((held, at) => held === before[at])) return;
    this.#memory = memoryOfProbes(counted.map(({ document }) => document));
  }

  #look(held: Held<ProbeDocument>): Found {
    const { id, host } = held.document;
    const snapshot = this.#hosts.findSnapshot(host);
    const agent = this.#hosts.findAgent(host);
    const before = this.#found.get(id);
    if (before?.held === held && before.snapshot === snapshot && before.agent === agent?.revision) return before;
    const inForce =
      isListened(agent?.document) &&
      snapshot !== undefined &&
      isStillAsked(snapshot, this.#hosts.policy, held.document);
    return { held, snapshot, agent: agent?.revision, inForce };
  }
}

function isListened(agent: AgentDocument | undefined): boolean {
  return agent !== undefined && agent.revokedAtMs === undefined && agent.conflict === undefined;
}

/**
 * Whether a question would be the same one today: the destination's driver build, kernel, type, PCI ids and string are
 * those that the answer was remembered for.
 */
function isStillAsked(snapshot: HostSnapshot, policy: Policy, { wanted, pairKey: key }: ProbeDocument): boolean {
  const { at, version } = wanted;
  const destination =
    at.kind === "device" ? profileOfDevice(snapshot, at.device, policy) : profileOfType(snapshot, at, policy);
  if (destination === undefined) return false;
  // Of the source, the key of R8 holds nothing but its string.
  const { attributes } = destination;
  const migrationVersion = known(version, attributes.migrationVersion.evidence);
  const source = { ...destination, attributes: { ...attributes, migrationVersion } };
  return pairKey({ source, destination, policy, packs: [], memory: NO_MEMORY }) === key;
}
