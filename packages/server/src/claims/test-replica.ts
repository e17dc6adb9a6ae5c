// SPDX-License-Identifier: Apache-2.0

import type { LoadedPack } from "@berth/core/compatibility/packs/pack";
import { STRICT_POLICY } from "@berth/core/compatibility/policy";
import { startReplica } from "../replica/start-replica.ts";
import type { Replica } from "../replica/replica.ts";
import type { Alarm } from "../store/alarm.ts";
import type { Store, WatchMessage } from "../store/store.ts";

/** A replica that can be held back while others write. */
export interface TestReplica extends Replica {
  /** Stops taking in what the store tells, until `resume`. */
  pause(): void;
  resume(): void;
}

/** Follows a store under a policy that takes every platform on trust. */
export async function startTestReplica(
  store: Store,
  { packs, alarm }: { readonly packs: readonly LoadedPack[]; readonly alarm: Alarm },
): Promise<TestReplica> {
  let gate = Promise.withResolvers<void>();
  gate.resolve();
  const watched: Store = {
    epoch: store.epoch,
    read: (request) => store.read(request),
    transact: (transaction) => store.transact(transaction),
    compact: (revision) => store.compact(revision),
    grantLease: (ttlMs) => store.grantLease(ttlMs),
    close: () => store.close(),
    async *watch(request): AsyncGenerator<WatchMessage> {
      for await (const message of store.watch(request)) {
        await gate.promise;
        yield message;
      }
    },
  };
  const policy = { ...STRICT_POLICY, assumePlatform: true };
  const replica = await startReplica({ store: watched, policy, packs, name: "test", now: () => 0, alarm });
  return new Proxy(replica as TestReplica, {
    get: (target, name) => {
      if (name === "pause") return () => void (gate = Promise.withResolvers<void>());
      if (name === "resume") return () => gate.resolve();
      if (name === "close") return () => (gate.resolve(), replica.close());
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value as () => unknown).bind(target) : value;
    },
  });
}
