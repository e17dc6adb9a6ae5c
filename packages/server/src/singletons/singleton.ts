// SPDX-License-Identifier: Apache-2.0

import { keyOf, PREFIXES } from "../documents/keys.ts";
import type { SingletonDocument } from "../documents/documents.ts";
import type { Revision, Store } from "../store/store.ts";

/** Proof of ownership: a transaction that compares it is written only while nobody else has taken over. */
export interface Guard {
  readonly key: string;
  readonly revision: Revision;
}

/** Something that only one of several servers may do, such as ending claims whose time is over. */
export interface Singleton {
  /** The proof, where this process is the owner or could become it; undefined while another one that lives is. */
  hold(): Promise<Guard | undefined>;
}

/**
 * Makes this process a contender for a singleton. Whose presence is gone from the store has died, and the next one takes
 * over with a higher term. A slow owner that has been taken over finds out by its guard: nothing of its is written.
 */
export function makeSingleton(
  name: string,
  { store, replica }: { readonly store: Store; readonly replica: string },
): Singleton {
  const key = keyOf("singleton", name);
  return {
    hold: async () => {
      const { documents } = await store.read({ key });
      const [found] = documents;
      const current = found === undefined ? undefined : (JSON.parse(found.value) as SingletonDocument);
      if (found !== undefined && current?.owner === replica) return { key, revision: found.revision };
      if (current !== undefined && (await isPresent(store, current.owner))) return undefined;
      const next: SingletonDocument = { owner: replica, term: (current?.term ?? 0) + 1 };
      const answer = await store.transact({
        compares: [found === undefined ? { kind: "absent", key } : { kind: "revision", key, revision: found.revision }],
        writes: [{ kind: "put", key, value: JSON.stringify(next) }],
      });
      return answer.kind === "written" ? { key, revision: answer.revision } : undefined;
    },
  };
}

/** Whether a replica's lease still holds its presence. */
async function isPresent(store: Store, replica: string): Promise<boolean> {
  const { documents } = await store.read({ key: `${PREFIXES.presence}${replica}/`, prefix: true, limit: 1 });
  return documents.length > 0;
}
