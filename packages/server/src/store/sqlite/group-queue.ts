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

/**
 * So many are enough for a commit while nothing is under way: those who have much to do before they ask are not waited for,
 * and do it while the disk is busy.
 */
const ENOUGH_ITEMS = 32;

/** Gathers what waits while the disk is busy with the group before: one commit at a time, in order of arrival. */
export class GroupQueue {
  readonly #commit: Commit;
  readonly #drained: (() => void)[] = [];
  #waiting: Waiting[] = [];
  #isBusy = false;
  #planned: NodeJS.Immediate | undefined;

  constructor(commit: Commit) {
    this.#commit = commit;
  }

  push(item: GroupItem): Promise<ItemOutcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#isBusy) return;
      if (this.#waiting.length >= ENOUGH_ITEMS) void this.#send();
      else this.#plan();
    });
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    if (!this.#isBusy && this.#waiting.length === 0) return;
    await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  /** Everyone whom the last group woke has asked again by then, and shares the next one. */
  #plan(): void {
    this.#planned ??= setImmediate(() => void this.#send());
  }

  async #send(): Promise<void> {
    clearImmediate(this.#planned);
    this.#planned = undefined;
    this.#isBusy = true;
    const group = this.#waiting.splice(0, countGroup(this.#waiting));
    await this.#commit(group.map(({ item }) => item)).then(
      ({ outcomes }) => group.forEach(({ resolve, reject }, at) => settle(outcomes[at], { resolve, reject })),
      (error: unknown) => group.forEach(({ reject }) => reject(error)),
    );
    this.#isBusy = false;
    if (this.#waiting.length > 0) this.#plan();
    else for (const resolve of this.#drained.splice(0)) resolve();
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
