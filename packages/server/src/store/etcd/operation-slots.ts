// SPDX-License-Identifier: Apache-2.0

import { randomBytes, randomUUID } from "node:crypto";
import type { Slot } from "./transaction-coding.ts";
import type { KeySpace } from "./etcd-key.ts";
import { formatSlotKey } from "./etcd-key.ts";

/** How long etcd keeps the slots of a store that is gone. */
export const SLOT_LEASE_SECONDS = 3600;
/** New slots are made so long before the old ones may end, that no transaction is under way with one of those. */
const SLOT_LIFE_MS = (SLOT_LEASE_SECONDS * 1000) / 2;

/** Grants etcd's lease of this id. */
export type GrantLease = (id: bigint, seconds: number) => Promise<void>;

/** The slots of one store: as many as transactions were ever under way together, each for one transaction at a time. */
export class OperationSlots {
  readonly #space: KeySpace;
  readonly #grant: GrantLease;
  readonly #now: () => number;
  #free: Slot[] = [];
  #lease: { readonly id: Promise<bigint>; readonly grantedAtMs: number } | undefined;

  constructor(space: KeySpace, grant: GrantLease, now: () => number) {
    this.#space = space;
    this.#grant = grant;
    this.#now = now;
  }

  /** A slot that no other transaction has. */
  async take(): Promise<Slot> {
    const lease = await this.#currentLease();
    for (let slot = this.#free.pop(); slot !== undefined; slot = this.#free.pop()) {
      if (slot.lease === lease) return slot;
    }
    return { key: formatSlotKey(this.#space, randomUUID()), lease, revision: 0n };
  }

  /** Gives a slot back, with the revision at which it now stands. One whose state is unknown is never given back. */
  giveBack(slot: Slot, revision: bigint): void {
    this.#free.push({ ...slot, revision });
  }

  /** Forgets a lease that etcd says has ended, so that the next slot gets a new one. */
  async forgetLease(lease: bigint): Promise<void> {
    if ((await this.#lease?.id) === lease) this.#lease = undefined;
  }

  async #currentLease(): Promise<bigint> {
    const held = this.#lease;
    if (held !== undefined && this.#now() - held.grantedAtMs < SLOT_LIFE_MS) return await held.id;
    const id = drawLeaseId();
    const lease = { id: this.#grant(id, SLOT_LEASE_SECONDS).then(() => id), grantedAtMs: this.#now() };
    this.#lease = lease;
    try {
      return await lease.id;
    } catch (error) {
      if (this.#lease === lease) this.#lease = undefined;
      throw error;
    }
  }
}

/** A lease id of our own drawing: a grant that is repeated is then the same one. */
export function drawLeaseId(): bigint {
  // Positive, as etcd's own are; 0 would ask etcd to choose.
  return (randomBytes(8).readBigUInt64BE() >> 1n) | 1n;
}
