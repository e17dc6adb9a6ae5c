// SPDX-License-Identifier: Apache-2.0

import type { Claim } from "@berth/core/claim/claim";
import type { LedgerDocument } from "@berth/core/claim/ledger-document";
import type { HostState } from "@berth/core/report/report";
import type { Catalogue } from "@berth/core/report/fill-shape";
import type {
  AdoptionDocument,
  AgentDocument,
  CordonDocument,
  PresenceDocument,
  ProbeDocument,
  ReportedDocument,
} from "../documents/documents.ts";
import type { FleetView } from "../inventory/fleet-view.ts";
import type { Cursor, Revision, Store } from "../store/store.ts";

/** A document as it was read: its revision is what a transaction compares. */
export interface Held<T> {
  readonly document: T;
  readonly revision: Revision;
}

/** A document that cannot be read: nothing is known of what it says. */
export interface DocumentProblem {
  readonly key: string;
  readonly revision: Revision;
  /** One sentence without a full stop. */
  readonly message: string;
}

/** What a replica knows of one host. What is absent has no document, or one that cannot be read (`listProblems`). */
export interface HostDocuments {
  readonly host: string;
  /** The report that counts; `revision` is that of `inventory/<host>`. */
  readonly inventory?: Held<HostState>;
  readonly ledger?: Held<LedgerDocument>;
  readonly agent?: Held<AgentDocument>;
  readonly cordon?: Held<CordonDocument>;
  readonly adoption?: Held<AdoptionDocument>;
}

/**
 * The store as one server process sees it: everything that is answered from, in memory, brought up to date by one watch,
 * revision by revision. It may be behind; whoever decides on it compares the revisions that it decided on.
 */
export interface Replica {
  /** Of this process: drawn when it starts. */
  readonly name: string;
  readonly store: Store;
  readonly view: FleetView;
  /** Shapes of all inventories. */
  readonly catalogue: Catalogue;
  /** Everything up to here is in it. */
  readonly cursor: Cursor;
  findHost(host: string): HostDocuments | undefined;
  findClaim(id: string): Held<Claim> | undefined;
  /** Agents of all hosts that were enrolled, also of such that never reported, sorted by host; the same list until one changes. */
  listAgents(): readonly Held<AgentDocument>[];
  findReported(host: string): Held<ReportedDocument> | undefined;
  /** Claims of a host, those that have ended too, sorted by id. */
  listClaims(host: string): readonly Held<Claim>[];
  /** Ids of claims that hold a place for one of these devices of a host: so many of them, sorted. */
  findClaimsFor(host: string, devices: readonly string[], limit: number): readonly string[];
  /** All claims, sorted by id. */
  listAllClaims(): readonly Held<Claim>[];
  /** Questions to drivers of a host, sorted by id; all of them without a host. */
  listProbes(host?: string): readonly Held<ProbeDocument>[];
  /** Whether a driver's answer counts: its host is listened to, and still shows what was asked about. */
  isProbeInForce(id: string): boolean;
  /** Resolves when everything up to a revision is in it; rejects with the signal's reason. */
  reached(revision: Revision, signal?: AbortSignal): Promise<void>;
  /** Told after each change of what the host's agent is to know: claims, adoption, probes. The answer ends it. */
  onDesired(host: string, listener: () => void): () => void;
  /** Told after each change of who hears which hosts. The answer ends it. */
  onPresence(listener: () => void): () => void;
  /** Which hosts are heard, by replica and part, sorted by key. */
  listPresence(): readonly PresenceDocument[];
  /** Whether some replica says that it hears a host. */
  isPresent(host: string): boolean;
  /** Documents that cannot be read, sorted by key. */
  listProblems(): readonly DocumentProblem[];
  /** Seconds since the watch last was known to be at the end; undefined: it never was. */
  lagSeconds(): number | undefined;
  /** Ends the watch. The store is the caller's to close. */
  close(): Promise<void>;
}
