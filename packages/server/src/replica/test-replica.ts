// SPDX-License-Identifier: Apache-2.0

import { STRICT_POLICY } from "@berth/core/compatibility/policy";
import { describeView } from "../inventory/test-view.ts";
import type { Cursor, Store } from "../store/store.ts";
import type { Replica } from "./replica.ts";
import { startReplica, type ReplicaParts } from "./start-replica.ts";
import type { TestStore } from "./test-store.ts";

/** A replica of a test's store, whose time stands still unless it is said otherwise. */
export function startTestReplica(test: TestStore, parts: Partial<ReplicaParts> = {}): Promise<Replica> {
  return startReplica({
    store: test.store,
    policy: { ...STRICT_POLICY, assumePlatform: true },
    packs: [],
    name: "replica-1",
    now: () => 0,
    alarm: test.alarm.set,
    ...parts,
  });
}

/** A store that does some things otherwise. */
export function storeWith(store: Store, changed: Partial<Store>): Store {
  return {
    epoch: store.epoch,
    read: (request) => store.read(request),
    transact: (transaction) => store.transact(transaction),
    watch: (request) => store.watch(request),
    compact: (revision) => store.compact(revision),
    grantLease: (ttlMs) => store.grantLease(ttlMs),
    close: () => store.close(),
    ...changed,
  };
}

/** Everything that a replica answers about these hosts, but for where its feed began. */
export function describeReplica(replica: Replica, hosts: readonly string[]): object {
  return {
    view: describeView(replica.view),
    cursor: replica.cursor satisfies Cursor,
    claims: replica.listAllClaims(),
    probes: replica.listProbes(),
    agents: replica.listAgents(),
    presence: replica.listPresence(),
    problems: replica.listProblems(),
    hosts: hosts.map((host) => ({
      ...replica.findHost(host),
      claims: replica.listClaims(host),
      probes: replica.listProbes(host),
      reported: replica.findReported(host),
      isPresent: replica.isPresent(host),
      isAdopted: ["p", "q"].map((parent) => replica.view.isAdopted(host, parent)),
      isVmAdopted: replica.view.isVmAdopted(host, "vm"),
      ledger: replica.view.ledgerOf(host),
    })),
  };
}
