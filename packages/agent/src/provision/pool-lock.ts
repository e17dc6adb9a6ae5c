// SPDX-License-Identifier: Apache-2.0

/** Serialises what is done to pools of this host, scanning included. */
export interface PoolLocks {
  /**
   * Runs a task while nobody else holds any of the owners. First come, first served for each owner; a task must not ask
   * for owners again while it holds some. Rejects with the signal's reason when that aborts before the task has begun.
   */
  withOwners<T>(owners: Iterable<string>, task: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Whether nobody holds an owner at this moment. */
  isFree(owner: string): boolean;
}

/** Makes the locks of one host; they live and end with this process. */
export function makePoolLocks(): PoolLocks {
  /** Who waits for an owner, first of them the holder. */
  const queues = new Map<string, (() => void)[]>();
  return {
    isFree: (owner) => !queues.has(owner),
    withOwners: async (owners, task, signal) => {
      const held: string[] = [];
      try {
        // All take them in the same order, so no two can wait for each other.
        for (const owner of [...new Set(owners)].sort()) {
          await takeTurn(queues, owner, signal);
          held.push(owner);
        }
        signal?.throwIfAborted();
        return await task();
      } finally {
        for (const owner of held.reverse()) passOn(queues, owner);
      }
    },
  };
}

function takeTurn(queues: Map<string, (() => void)[]>, owner: string, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const queue = queues.get(owner) ?? [];
    queues.set(owner, queue);
    const begin = (): void => {
      signal?.removeEventListener("abort", giveUp);
      resolve();
    };
    const giveUp = (): void => {
      queue.splice(queue.indexOf(begin), 1);
      reject(signal?.reason as Error);
    };
    if (signal?.aborted === true) {
      if (queue.length === 0) queues.delete(owner);
      reject(signal.reason as Error);
      return;
    }
    queue.push(begin);
    if (queue[0] === begin) resolve();
    else signal?.addEventListener("abort", giveUp, { once: true });
  });
}

function passOn(queues: Map<string, (() => void)[]>, owner: string): void {
  const queue = queues.get(owner);
  queue?.shift();
  if (queue === undefined || queue.length === 0) queues.delete(owner);
  else queue[0]?.();
}
