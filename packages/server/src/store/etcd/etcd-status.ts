// SPDX-License-Identifier: Apache-2.0

import type { EtcdMembers } from "./etcd-members.ts";
import { STATUS } from "./etcd-methods.ts";

/** What one member says of itself. */
export type EtcdMemberStatus =
  | {
      readonly kind: "answering";
      readonly endpoint: string;
      readonly version: string;
      /** Does it lead the cluster? */
      readonly leads: boolean;
      /** Without a leader nothing can be written or read. */
      readonly hasLeader: boolean;
      /** Bytes of its file, and those of it that are in use; the quota is about the file. */
      readonly fileBytes: number;
      readonly usedBytes: number;
      /** Alarms such as NOSPACE, in etcd's words, sorted. */
      readonly problems: readonly string[];
    }
  | { readonly kind: "silent"; readonly endpoint: string; readonly reason: string };

/** Asks every member once, all at the same time. */
export async function readMemberStatus(members: EtcdMembers): Promise<readonly EtcdMemberStatus[]> {
  return await Promise.all(
    members.members.map(async (member): Promise<EtcdMemberStatus> => {
      const { endpoint } = member;
      try {
        const status = await members.askOnce(member, STATUS, {});
        return {
          kind: "answering",
          endpoint,
          version: status.version,
          leads: status.leader !== 0n && status.leader === status.header?.memberId,
          hasLeader: status.leader !== 0n,
          fileBytes: Number(status.dbSize),
          usedBytes: Number(status.dbSizeInUse),
          problems: status.errors.toSorted(),
        };
      } catch (error) {
        return { kind: "silent", endpoint, reason: error instanceof Error ? error.message : String(error) };
      }
    }),
  );
}
