// SPDX-License-Identifier: Apache-2.0

import type { Claim } from "@berth/core/claim/claim";
import type { ClaimState } from "@berth/core/claim/claim-state";
import { parseLedger, type LedgerDocument } from "@berth/core/claim/ledger-document";
import { holdsRoom, TRANSITIONS } from "@berth/core/claim/transitions";
import type { MemoryJournal } from "@berth/server/store/memory/memory-journal";
import type { Change } from "@berth/server/store/store";
import { listDevices, type SimulatedHypervisor } from "./simulated-hypervisor.ts";

/** What holds at every revision of the store, whatever happens around it. */
export interface Laws {
  /** Claims as the store has them, by id. */
  readonly claims: ReadonlyMap<string, Claim>;
  /** The last revision that was looked at. */
  readonly seen: number;
  /** Looks at every revision since the last look. */
  look(): void;
  /** An agent is about to write to an attribute of its host. */
  readonly noteWrite: (host: string, path: string, text: string) => void;
}

/** What laws are held against. */
export interface Lawful {
  readonly journal: MemoryJournal;
  readonly hosts: ReadonlyMap<string, SimulatedHypervisor>;
  /** Units of each host's pool. */
  readonly capacity: ReadonlyMap<string, number>;
  readonly onViolation: (law: string, what: string) => void;
}

/**
 * S1: what claims hold on a host is never more than it has. S2: the ledger of a host holds what its open claims hold, no
 * more and no less. S3: claims move as the table of states allows, and what has ended stays so. S4: a claim that ends
 * leaves none of its devices on the host. S5: an agent makes devices of claims that are open on its host, and no others.
 * S6: no two open claims name one device.
 */
export function keepLaws(lawful: Lawful): Laws {
  const { journal, onViolation } = lawful;
  const claims = new Map<string, Claim>();
  const ledgers = new Map<string, LedgerDocument>();
  let seen = 0;
  const takeClaim = (claim: Claim): string => {
    const before = claims.get(claim.id);
    claims.set(claim.id, claim);
    if (before !== undefined && !isMove(before.state, claim.state)) {
      onViolation("S3", `${claim.id} went from ${before.state} to ${claim.state}`);
    }
    if (!holdsRoom(claim.state)) checkGone(claim, lawful);
    return claim.host;
  };
  const take = (change: Change): string | undefined => {
    const key = change.kind === "put" ? change.document.key : change.key;
    const [kind, name = ""] = key.split("/");
    if (kind !== "claim" && kind !== "ledger") return undefined;
    if (change.kind === "delete") {
      onViolation("S3", `${key} was deleted`);
      return undefined;
    }
    if (kind === "claim") return takeClaim(JSON.parse(change.document.value) as Claim);
    ledgers.set(name, parseLedger(change.document.value));
    return name;
  };
  return {
    claims,
    get seen() {
      return seen;
    },
    look: () => {
      const page = journal.readLog(seen, "");
      if (page.kind === "gone") throw new Error("The log was compacted before it was looked at");
      for (const message of page.messages) {
        if (message.kind !== "changes") continue;
        const touched = new Set(message.changes.flatMap((change) => take(change) ?? []));
        for (const host of touched) checkHost(host, { claims, ledger: ledgers.get(host), lawful });
      }
      seen = page.through;
    },
    noteWrite: (host, path, text) => {
      const uuid = text.trim().slice(0, 36);
      const isWanted = (): boolean => [...claims.values()].some((claim) => isOpenFor(claim, host, uuid));
      if (!path.endsWith("/create") || isWanted()) return;
      onViolation("S5", `${host} makes ${uuid}, which is of no open claim there`);
    },
  };
}

function checkGone({ id, state, host, devices }: Claim, { hosts, onViolation }: Lawful): void {
  const kernel = hosts.get(host)?.kernel;
  const standing = kernel === undefined ? new Map<string, number>() : listDevices(kernel);
  const left = devices.find(({ occupant }) => standing.has(occupant.id));
  if (left !== undefined) onViolation("S4", `${id} is ${state} and ${left.occupant.id} stands`);
}

function isOpenFor(claim: Claim, host: string, uuid: string): boolean {
  const names = claim.devices.some(({ occupant }) => occupant.id === uuid);
  return names && claim.host === host && holdsRoom(claim.state);
}

/** Whether some event leads from a state to another one. */
function isMove(from: ClaimState, to: ClaimState): boolean {
  return from === to || Object.values(TRANSITIONS[from]).includes(to);
}

interface Checked {
  readonly claims: ReadonlyMap<string, Claim>;
  readonly ledger: LedgerDocument | undefined;
  readonly lawful: Lawful;
}

function checkHost(host: string, { claims, ledger, lawful }: Checked): void {
  const { capacity, onViolation } = lawful;
  const open = [...claims.values()].filter((claim) => claim.host === host && holdsRoom(claim.state));
  const units = open.flatMap(({ devices }) => devices.map(({ occupant }) => occupant.count));
  const sum = units.reduce((total, count) => total + count, 0);
  const has = capacity.get(host) ?? 0;
  if (sum > has) onViolation("S1", `claims hold ${sum} units of ${host}, which has ${has}`);
  const held = (ledger?.entries ?? []).map(({ claim, devices }) => `${claim} ${JSON.stringify(devices)}`);
  const owed = open.map(({ id, devices }) => `${id} ${JSON.stringify(devices.map(({ occupant }) => occupant))}`);
  if (held.toSorted().join() !== owed.toSorted().join()) {
    onViolation("S2", `the ledger of ${host} holds ${held.join("; ")}, its open claims ${owed.join("; ")}`);
  }
  const ids = open.flatMap(({ devices }) => devices.map(({ occupant }) => occupant.id));
  if (new Set(ids).size !== ids.length) onViolation("S6", `two claims of ${host} name one device`);
}
