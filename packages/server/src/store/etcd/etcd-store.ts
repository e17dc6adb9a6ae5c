// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import { BerthError } from "@berth/core/protocol/berth-error";
import { checkPrefix, checkRead, checkTransaction, checkTtl } from "../check-request.ts";
import type { Store, WatchMessage, WatchRequest } from "../store.ts";
import { parseRevision } from "./document-coding.ts";
import { storeClosed } from "./etcd-failure.ts";
import { formatEpochKey, fromBytes, toBytes } from "./etcd-key.ts";
import type { KeySpace } from "./etcd-key.ts";
import { drawLeaseId, OperationSlots } from "./operation-slots.ts";
import { formatLease, grantEtcdLease } from "./etcd-lease.ts";
import { EtcdMembers } from "./etcd-members.ts";
import { COMPACT, RANGE, TXN } from "./etcd-methods.ts";
import type { EtcdOptions, EtcdSettings } from "./etcd-options.ts";
import { parseEtcdOptions } from "./etcd-options.ts";
import { readDocuments } from "./read-etcd.ts";
import type { EtcdMemberStatus } from "./etcd-status.ts";
import { readMemberStatus } from "./etcd-status.ts";
import type { TransactContext } from "./transact-etcd.ts";
import { transactEtcd } from "./transact-etcd.ts";
import { watchEtcd } from "./watch-etcd.ts";

/** The store over etcd. Its revision grows with others' writes to the cluster too. */
export interface EtcdStore extends Store {
  /** What each member says of itself, in the order of the endpoints; those that do not answer are named as well. */
  readStatus(): Promise<readonly EtcdMemberStatus[]>;
}

/**
 * Opens the store that stands in an etcd cluster, and makes it where there is none.
 *
 * @throws RangeError for options that cannot be meant; `store_unavailable` when no member answers in time, or when a member's
 * certificate is none that the given authority signed.
 */
export async function openEtcdStore(options: EtcdOptions): Promise<EtcdStore> {
  const settings = parseEtcdOptions(options);
  const members = new EtcdMembers(settings);
  try {
    const mark = await readOrMakeMark(members, settings.space);
    return formatStore(members, settings, mark);
  } catch (error) {
    members.close();
    throw error;
  }
}

function formatStore(members: EtcdMembers, settings: EtcdSettings, mark: string): EtcdStore {
  const { space, attemptMs } = settings;
  const epoch = formatEpoch(members, mark);
  const context = formatContext(members, settings);
  const readRevision = async (): Promise<number> => {
    const found = await readMark(members, space);
    if (found.mark === mark) return found.revision;
    const text = "The store in etcd is another one than was opened: it was restored or removed";
    throw new BerthError("store_unavailable", text, { place: space.root });
  };
  const ifOpen = (): void => {
    if (members.closed) throw storeClosed();
  };
  return {
    epoch,
    read: async (request) => {
      checkRead(request);
      return await readDocuments({ members, space, epoch }, request);
    },
    transact: async (transaction) => {
      checkTransaction(transaction);
      ifOpen();
      return await transactEtcd(context, transaction);
    },
    watch: (request) => openWatch(request, { members, space, epoch, attemptMs, readRevision }),
    compact: async (revision) => await compactTo(members, revision),
    grantLease: async (ttlMs) => {
      checkTtl(ttlMs);
      const id = drawLeaseId();
      await grantEtcdLease(members, id, Math.ceil(ttlMs / 1000));
      return formatLease(members, id, attemptMs);
    },
    readStatus: async () => await readMemberStatus(members),
    close: async () => {
      members.close();
    },
  };
}

async function* openWatch(
  request: WatchRequest,
  context: Parameters<typeof watchEtcd>[0],
): AsyncGenerator<WatchMessage, void, undefined> {
  checkPrefix(request.prefix);
  if (context.members.closed) throw storeClosed();
  yield* watchEtcd(context, request);
}

function formatContext(members: EtcdMembers, { space, deadlineMs }: EtcdSettings): TransactContext {
  const now = (): number => performance.now();
  return {
    space,
    slots: new OperationSlots(space, async (id, seconds) => await grantEtcdLease(members, id, seconds), now),
    tryTxn: async (request) => {
      const member = members.current();
      try {
        return await members.askOnce(member, TXN, request);
      } catch (error) {
        members.leaveAfter(member, error);
        throw error;
      }
    },
    rest: async (tries) => await members.rest(tries),
    now,
    deadlineMs,
    isClosed: () => members.closed,
  };
}

/** Cluster and mark: a cluster that was restored under another token and a store that was made anew differ. */
function formatEpoch(members: EtcdMembers, mark: string): string {
  return `${members.clusterId.toString(16)}-${mark}`;
}

async function readOrMakeMark(members: EtcdMembers, space: KeySpace): Promise<string> {
  const key = formatEpochKey(space);
  for (;;) {
    const { mark } = await readMark(members, space);
    if (mark !== undefined) return mark;
    // Whoever comes first makes it; whether it was this one, the next read tells.
    await members.ask(TXN, {
      compare: [{ result: 0, target: 1, key, createRevision: 0n }],
      success: [{ put: { key, value: toBytes(randomUUID()) } }],
    });
  }
}

async function readMark(
  members: EtcdMembers,
  space: KeySpace,
): Promise<{ readonly mark: string | undefined; readonly revision: number }> {
  const { kvs, header } = await members.ask(RANGE, { key: formatEpochKey(space) });
  const [kv] = kvs;
  return { mark: kv === undefined ? undefined : fromBytes(kv.value), revision: parseRevision(header?.revision ?? 0n) };
}

async function compactTo(members: EtcdMembers, revision: number): Promise<void> {
  if (!Number.isSafeInteger(revision)) throw new RangeError(`A revision is a count, not ${revision}`);
  // etcd's revisions begin at 1, before which there is nothing to forget.
  if (revision <= 1) {
    if (members.closed) throw storeClosed();
    return;
  }
  try {
    await members.ask(COMPACT, { revision: BigInt(revision) });
  } catch (error) {
    const forgotten = error instanceof RangeError && error.message.includes("has been compacted");
    if (!forgotten) throw error;
  }
}
