// SPDX-License-Identifier: Apache-2.0

/**
 * The store behind the control plane, with etcd's semantics whatever holds it: one key space of small JSON documents, one
 * revision that grows with every transaction, transactions that compare before they write, and watches that miss nothing.
 *
 * One contract suite (`store.contract.ts`) is run by every implementation with the real thing behind it.
 */
export interface Store {
  /** Changes when a store is made or restored; a revision means something only together with it. */
  readonly epoch: string;
  /**
   * Reads one key or a prefix, linearizably: every write that was acknowledged before is seen. RangeError for a text that
   * is no key (`KEY_MAX`) or a limit below one.
   */
  read(request: ReadRequest): Promise<ReadAnswer>;
  /**
   * Writes all of it or nothing, durably: acknowledged means that it is on disk. Compares and writes together are at most
   * 64 (`TRANSACTION_MAX`); RangeError for more, for a key written twice, a document above 64 KiB (`DOCUMENT_MAX`), or
   * documents of more than 1 MiB together (`TRANSACTION_BYTES_MAX`).
   * A rejection with `store_unavailable` leaves open whether it was written; any other one says that it was not.
   */
  transact(transaction: Transaction): Promise<TransactionAnswer>;
  /**
   * Everything that changes under a prefix after a cursor, one message a revision, in order, until the signal aborts or
   * the store is closed. A cursor of another epoch, or older than what was kept, is answered with one `reset`, which is
   * the last message: read again, and watch from the cursor of that answer.
   */
  watch(request: WatchRequest): AsyncIterable<WatchMessage>;
  /**
   * Forgets history before a revision; what is current stays. A watch from a cursor of that revision or later misses
   * nothing, from an older one it is reset. A revision that is already forgotten changes nothing; RangeError for one
   * that is yet to come.
   */
  compact(revision: Revision): Promise<void>;
  /**
   * A lease that ends unless it is kept alive: for presence alone, never for claims. Keys written with it end with it, all
   * in one revision; a key written again without it stays. It lasts at least so long (a store may round up). To write
   * with a lease that has ended is refused with `store_lease_ended`.
   */
  grantLease(ttlMs: number): Promise<Lease>;
  /** Ends all watches and releases what the store owns. Safe to call twice; later calls find it `store_unavailable`. */
  close(): Promise<void>;
}

/** Most compares and writes of one transaction (etcd 3.4 refuses more than 128 operations). */
export const TRANSACTION_MAX = 64;
/** Largest document, bytes of UTF-8. */
export const DOCUMENT_MAX: number = 64 * 1024;
/** Most bytes of UTF-8 of all documents that one transaction writes (etcd refuses a request above 1.5 MiB). */
export const TRANSACTION_BYTES_MAX: number = 1024 * 1024;

/** Longest key, characters. A key is printable ASCII without spaces: other texts are encoded by whoever makes it. */
export const KEY_MAX = 512;

/**
 * Grows with every transaction that wrote something: by one, and by more where others write to the same etcd cluster. To
 * delete what is not there writes nothing. What a store begins with is its own affair.
 */
export type Revision = number;

/** Where a reader stands. */
export interface Cursor {
  readonly epoch: string;
  readonly revision: Revision;
}

/** One document. */
export interface StoredDocument {
  readonly key: string;
  /** JSON text. */
  readonly value: string;
  /** Revision that wrote it last. */
  readonly revision: Revision;
  /** Revision that made it; a key that was removed and written again is a new one. */
  readonly created: Revision;
}

export interface ReadRequest {
  /** The key, or the prefix with `prefix`. */
  readonly key: string;
  readonly prefix?: true;
  /** Most documents, with `prefix`; the answer says whether there are more. */
  readonly limit?: number;
  /** Documents after this key only, with `prefix`: for pages. */
  readonly after?: string;
}

export interface ReadAnswer {
  /** Sorted by key, by code unit. */
  readonly documents: readonly StoredDocument[];
  readonly cursor: Cursor;
  readonly more: boolean;
}

/** What must hold for a transaction to write. */
export type Compare =
  | { readonly kind: "revision"; readonly key: string; readonly revision: Revision }
  | { readonly kind: "absent"; readonly key: string };

export type Write =
  | { readonly kind: "put"; readonly key: string; readonly value: string; readonly lease?: Lease }
  | { readonly kind: "delete"; readonly key: string };

export interface Transaction {
  readonly compares: readonly Compare[];
  readonly writes: readonly Write[];
}

/**
 * `written` carries the revision that it made, or where it wrote nothing the revision at which its compares held.
 * `conflict` names every compare that did not hold, in their order, with what stands there now.
 */
export type TransactionAnswer =
  | { readonly kind: "written"; readonly revision: Revision }
  | { readonly kind: "conflict"; readonly failed: readonly Conflict[]; readonly revision: Revision };

export interface Conflict {
  readonly key: string;
  /** Absent: there is no document. */
  readonly document?: StoredDocument;
}

export interface WatchRequest {
  readonly prefix: string;
  /** Changes after this revision. */
  readonly from: Cursor;
  readonly signal: AbortSignal;
}

export type Change =
  | { readonly kind: "put"; readonly document: StoredDocument }
  | { readonly kind: "delete"; readonly key: string; readonly revision: Revision };

export type WatchMessage =
  /** All changes of one revision below the prefix, sorted by key. */
  | { readonly kind: "changes"; readonly cursor: Cursor; readonly changes: readonly [Change, ...Change[]] }
  /** Carries where the store stands now. */
  | { readonly kind: "reset"; readonly cursor: Cursor };

export interface Lease {
  readonly id: string;
  /** Must be called more often than the lease lasts; `store_lease_ended` when it has ended. */
  keepAlive(): Promise<void>;
  /** Ends it now. Safe to call when it has ended. */
  revoke(): Promise<void>;
}
