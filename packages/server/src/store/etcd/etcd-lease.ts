// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "@berth/core/protocol/berth-error";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Lease } from "../store.ts";
import type { EtcdMembers, Member } from "./etcd-members.ts";
import { leaseEnded } from "./etcd-failure.ts";
import { LEASE_GRANT, LEASE_KEEP_ALIVE, LEASE_REVOKE } from "./etcd-methods.ts";

/** Grants a lease of an id that the caller drew: done twice, it is one lease. */
export async function grantEtcdLease(members: EtcdMembers, id: bigint, seconds: number): Promise<void> {
  await members.repeat(async (member) => {
    try {
      await members.askOnce(member, LEASE_GRANT, { id, ttl: BigInt(seconds) });
    } catch (error) {
      if (!isThere(error)) throw error;
    }
  });
}

/** The lease as the store's port shows it. */
export function formatLease(members: EtcdMembers, id: bigint, attemptMs: number): Lease {
  return {
    id: String(id),
    keepAlive: async () => {
      const left = await members.repeat(async (member) => await keepAlive(members, member, { id, attemptMs }));
      if (left <= 0n) throw leaseEnded();
    },
    revoke: async () => {
      try {
        await members.ask(LEASE_REVOKE, { id });
      } catch (error) {
        if (!(error instanceof BerthError && error.code === "store_lease_ended")) throw error;
      }
    },
  };
}

/** Seconds that the lease has from now; 0: it has ended. */
async function keepAlive(
  members: EtcdMembers,
  member: Member,
  { id, attemptMs }: { readonly id: bigint; readonly attemptMs: number },
): Promise<bigint> {
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), attemptMs);
  try {
    const { answers } = await members.open(LEASE_KEEP_ALIVE, { id }, { member, signal: ending.signal });
    for await (const answer of answers) return answer.ttl;
    throw new ConnectError("The stream ended without an answer", Code.Unavailable);
  } finally {
    clearTimeout(timer);
    ending.abort();
  }
}

function isThere(error: unknown): boolean {
  return error instanceof ConnectError && error.rawMessage.includes("lease already exists");
}
