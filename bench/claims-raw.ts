// SPDX-License-Identifier: Apache-2.0

import type { Compare, Store, Transaction, Write } from "@berth/server/store/store";

/** A store that notes what claims wrote through it. */
export interface RecordingStore extends Store {
  /** Takes out the claims that were written since, in the order of their commits. */
  takeClaims(): readonly Transaction[];
}

/** Stands before a store; of each transaction that was written and puts a claim it keeps the content. */
export function recordClaims(store: Store): RecordingStore {
  let recorded: { readonly revision: number; readonly transaction: Transaction }[] = [];
  return {
    epoch: store.epoch,
    read: async (request) => store.read(request),
    transact: async (transaction) => {
      const answer = await store.transact(transaction);
      const isClaim = transaction.writes.some(({ key }) => key.startsWith("claim/"));
      if (isClaim && answer.kind === "written") recorded.push({ revision: answer.revision, transaction });
      return answer;
    },
    watch: (request) => store.watch(request),
    compact: async (revision) => store.compact(revision),
    grantLease: async (ttlMs) => store.grantLease(ttlMs),
    close: async () => store.close(),
    takeClaims: () => {
      const taken = recorded.toSorted((a, b) => a.revision - b.revision).map(({ transaction }) => transaction);
      recorded = [];
      return taken;
    },
  };
}

/** Writes again, into another store of the same content, what claims wrote into one. */
export interface Replayer {
  /** So many clients, each of which takes the next transaction whose ledger nobody is writing. */
  replay(transactions: readonly Transaction[], clients: number): Promise<void>;
}

/** Begins at a store that was filled with the documents of the other one. */
export async function openReplayer(store: Store): Promise<Replayer> {
  const revisions = await readRevisions(store);
  const renew = (compare: Compare): Compare => {
    const revision = revisions.get(compare.key);
    return compare.kind === "absent" || revision === undefined ? compare : { ...compare, revision };
  };
  const write = async ({ compares, writes }: Transaction): Promise<void> => {
    const answer = await store.transact({ compares: compares.map(renew), writes });
    if (answer.kind !== "written") throw new Error("A claim that is written again met a conflict");
    for (const { key } of writes) if (key.startsWith("ledger/")) revisions.set(key, answer.revision);
  };
  return {
    replay: async (transactions, clients) => {
      const queues = [...Map.groupBy(transactions, ({ writes }) => ledgerOf(writes)).values()];
      await Promise.all(
        Array.from({ length: clients }, async () => {
          for (let own = queues.shift(); own !== undefined; own = queues.shift()) {
            const [first, ...rest] = own;
            if (first === undefined) continue;
            await write(first);
            if (rest.length > 0) queues.push(rest);
          }
        }),
      );
    },
  };
}

function ledgerOf(writes: readonly Write[]): string {
  return writes.find(({ key }) => key.startsWith("ledger/"))?.key ?? "";
}

async function readRevisions(store: Store): Promise<Map<string, number>> {
  const revisions = new Map<string, number>();
  for (const key of ["inventory/", "adoption/"]) {
    let after = key;
    for (let more = true; more;) {
      const page = await store.read({ key, prefix: true, limit: 500, after });
      for (const document of page.documents) revisions.set(document.key, document.revision);
      after = page.documents.at(-1)?.key ?? after;
      more = page.more;
    }
  }
  return revisions;
}

/** How many documents of a kind two stores hold, and whether they are the same ones with the same content. */
export async function compareStores(left: Store, right: Store, prefix: string): Promise<"same" | "not the same"> {
  const [one, other] = await Promise.all([readTexts(left, prefix), readTexts(right, prefix)]);
  const isSame = one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
  return isSame ? "same" : "not the same";
}

async function readTexts(store: Store, prefix: string): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  let after = prefix;
  for (let more = true; more;) {
    const page = await store.read({ key: prefix, prefix: true, limit: 200, after });
    for (const { key, value } of page.documents) texts.set(key, value);
    after = page.documents.at(-1)?.key ?? after;
    more = page.more;
  }
  return texts;
}
