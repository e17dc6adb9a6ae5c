// SPDX-License-Identifier: Apache-2.0

import type { GroupItem, ItemOutcome, LeasedWrite, Questions } from "./worker-messages.ts";

/** What one commit takes at most: beyond it, those who wait would wait longer for the others than for the disk. */
const GROUP_ITEMS = 512;
/** The same in characters of documents; one item alone may have more. */
const GROUP_CHARACTERS = 8_000_000;

interface Waiting {
  readonly item: GroupItem;
  readonly resolve: (outcome: ItemOutcome) => void;
  readonly reject: (error: unknown) => void;
}

type Commit = (items: readonly GroupItem[]) => Promise<Questions["commit"]["answer"]>;

/** Gathers what waits while the disk is busy with the group before: one commit at a time, in order of arrival. */
export class GroupQueue {
  readonly #commit: Commit;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  constructor(commit: Commit) {
    this.#commit = commit;
  }

  push(item: GroupItem): Promise<ItemOutcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      // Everyone whom the last group woke has asked again by then, and shares the next one.
      await new Promise((resolve) => setImmediate(resolve));
      const group = this.#waiting.splice(0, countGroup(this.#waiting));
      await this.#commit(group.map(({ item }) => item)).then(
        ({ outcomes }) => group.forEach(({ resolve, reject }, at) => settle(outcomes[at], { resolve, reject })),
        (error: unknown) => group.forEach(({ reject }) => reject(error)),
      );
    }
    this.#running = undefined;
  }
}

function countGroup(waiting: readonly Waiting[]): number {
  let characters = 0;
  let count = 0;
  for (const { item } of waiting.slice(0, GROUP_ITEMS)) {
    characters += item.kind === "transact" ? countCharacters(item.writes) : 0;
    if (count > 0 && characters > GROUP_CHARACTERS) break;
    count += 1;
  }
  return count;
}

function countCharacters(writes: readonly LeasedWrite[]): number {
  return writes.reduce((sum, write) => sum + (write.kind === "put" ? write.value.length : 0), 0);
}

function settle(outcome: ItemOutcome | undefined, { resolve, reject }: Omit<Waiting, "item">): void {
  if (outcome === undefined) reject(new Error("A change of a group has no outcome"));
  else resolve(outcome);
}
