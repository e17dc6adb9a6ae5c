// SPDX-License-Identifier: Apache-2.0

import type { Claim } from "@berth/core/claim/claim";
import type { LoadedPack } from "@berth/core/compatibility/packs/pack";
import type { Policy } from "@berth/core/compatibility/policy";
import type { Catalogue } from "@berth/core/report/fill-shape";
import type { HostState } from "@berth/core/report/report";
import type { AgentDocument, PresenceDocument, ProbeDocument, ReportedDocument } from "../documents/documents.ts";
import { FleetView } from "../inventory/fleet-view.ts";
import type { Change, Cursor, Revision, Store } from "../store/store.ts";
import { JoinedHosts } from "./joined-hosts.ts";
import { findNews, type Listing } from "./list-documents.ts";
import { HostListeners, Listeners, type OnListenerError } from "./listeners.ts";
import { ProbesInForce } from "./probes-in-force.ts";
import type { WatchState } from "./pulse.ts";
import type { DocumentProblem, Held, HostDocuments, Replica } from "./replica.ts";
import { RevisionWaits } from "./revision-waits.ts";
import { splitKey, StoredDocuments } from "./stored-documents.ts";
import { writeView } from "./write-view.ts";

/** What whoever follows the store for a replica answers for it. */
export interface ReplicaRun {
  lagSeconds(): number | undefined;
  close(): Promise<void>;
}

/** What a replica knows, and whom it tells. It follows nothing by itself: it is handed listings and changes in order. */
export class KeptReplica implements Replica {
  readonly name: string;
  readonly store: Store;
  readonly view: FleetView;
  readonly catalogue: Catalogue;
  /** Whether the watch fails now. */
  watch: WatchState = "stands";
  readonly #documents = new StoredDocuments();
  readonly #joined: JoinedHosts;
  readonly #probes: ProbesInForce;
  readonly #waits: RevisionWaits;
  readonly #desired: HostListeners;
  readonly #presence: Listeners;
  #present: ReadonlySet<string> | undefined;
  #cursor: Cursor;
  #run: ReplicaRun | undefined;

  constructor(
    parts: {
      readonly name: string;
      readonly store: Store;
      readonly policy: Policy;
      readonly packs: readonly LoadedPack[];
      readonly onListenerError: OnListenerError;
    },
    listing: Listing,
  ) {
    const { name, store, policy, packs, onListenerError } = parts;
    this.name = name;
    this.store = store;
    this.#cursor = listing.cursor;
    this.catalogue = { find: (digest) => this.#documents.catalogue.find(digest)?.document };
    this.#joined = new JoinedHosts(this.#documents, this.catalogue);
    this.#waits = new RevisionWaits(listing.cursor.revision);
    this.#desired = new HostListeners(onListenerError);
    this.#presence = new Listeners(onListenerError);
    this.view = new FleetView({ policy, packs, epoch: listing.cursor.epoch, onListenerError });
    this.#probes = new ProbesInForce({
      policy,
      findSnapshot: (host) => this.view.findHost(host)?.host.snapshot,
      findAgent: (host) => this.#documents.agent.find(host),
    });
    this.#take(listing.cursor, findNews(new Map(), listing));
    // What was before the listing is not known: nobody goes on from there.
    this.view.feed.forget();
  }

  get cursor(): Cursor {
    return this.#cursor;
  }

  /** Hands over who follows the store for it. */
  attach(run: ReplicaRun): void {
    this.#run = run;
  }

  /** Takes in one revision. */
  takeChanges(cursor: Cursor, changes: readonly Change[]): void {
    if (cursor.revision > this.#cursor.revision) this.#take(cursor, changes);
  }

  /** Takes in everything that a listing says otherwise than is known, as one revision. */
  takeListing(listing: Listing): void {
    if (listing.cursor.revision <= this.#cursor.revision) return;
    this.#take(listing.cursor, findNews(this.#documents.revisions(), listing));
  }

  findHost(host: string): HostDocuments | undefined {
    const inventory = this.#findInventory(host);
    const ledger = this.#documents.ledger.find(host);
    const agent = this.#documents.agent.find(host);
    const cordon = this.#documents.cordon.find(host);
    const adoption = this.#documents.adoption.find(host);
    if ((inventory ?? ledger ?? agent ?? cordon ?? adoption) === undefined) return undefined;
    // Asked for many times with every request: nothing is made here that is thrown away at once.
    const found: { -readonly [Part in keyof HostDocuments]: HostDocuments[Part] } = { host };
    if (inventory !== undefined) found.inventory = inventory;
    if (ledger !== undefined) found.ledger = ledger;
    if (agent !== undefined) found.agent = agent;
    if (cordon !== undefined) found.cordon = cordon;
    if (adoption !== undefined) found.adoption = adoption;
    return found;
  }

  findClaim(id: string): Held<Claim> | undefined {
    return this.#documents.claim.find(id);
  }

  findReported(host: string): Held<ReportedDocument> | undefined {
    return this.#documents.reported.find(host);
  }

  listAgents(): readonly Held<AgentDocument>[] {
    return this.#documents.agent.list();
  }

  listClaims(host: string): readonly Held<Claim>[] {
    return this.#documents.claimsOf(host);
  }

  findClaimsFor(host: string, devices: readonly string[], limit: number): readonly string[] {
    return this.#documents.claims.forDevices(host, devices, limit);
  }

  listAllClaims(): readonly Held<Claim>[] {
    return this.#documents.claim.list();
  }

  listProbes(host?: string): readonly Held<ProbeDocument>[] {
    const all = this.#documents.probe.list();
    return host === undefined ? all : all.filter(({ document }) => document.host === host);
  }

  isProbeInForce(id: string): boolean {
    return this.#probes.has(id);
  }

  listPresence(): readonly PresenceDocument[] {
    return this.#documents.presence.list().map(({ document }) => document);
  }

  isPresent(host: string): boolean {
    this.#present ??= new Set(this.listPresence().flatMap(({ hosts }) => hosts));
    return this.#present.has(host);
  }

  listProblems(): readonly DocumentProblem[] {
    return this.#documents.problems();
  }

  reached(revision: Revision, signal?: AbortSignal): Promise<void> {
    return this.#waits.wait(revision, signal);
  }

  onDesired(host: string, listener: () => void): () => void {
    return this.#desired.add(host, listener);
  }

  onPresence(listener: () => void): () => void {
    return this.#presence.add(listener);
  }

  lagSeconds(): number | undefined {
    return this.#run?.lagSeconds();
  }

  async close(): Promise<void> {
    await this.#run?.close();
  }

  /** Nothing more comes: whoever waits is told. */
  end(): void {
    this.#waits.close();
  }

  #take(cursor: Cursor, changes: readonly Change[]): void {
    const hostsBefore = this.#hostsOf(changes);
    const touched = this.#documents.take(changes);
    this.view.edit(cursor, (edit) => writeView(edit, { documents: this.#documents, joined: this.#joined }, touched));
    // After what hosts show by now, and before anybody can ask.
    if (this.#probes.isTouched(touched)) this.#remember();
    this.#cursor = cursor;
    this.#desired.tell(new Set([...hostsBefore, ...this.#hostsOf(changes), ...touched.adoption]));
    if (touched.presence.size > 0) {
      this.#present = undefined;
      this.#presence.tell();
    }
    this.#waits.reach(cursor.revision);
  }

  /** Hosts of the claims and probes that these changes are of, as they stand now. */
  #hostsOf(changes: readonly Change[]): readonly string[] {
    return changes.flatMap((change) => {
      const found = splitKey(change.kind === "put" ? change.document.key : change.key);
      if (found === undefined || (found.kind !== "claim" && found.kind !== "probe")) return [];
      return this.#documents[found.kind].find(found.name)?.document.host ?? [];
    });
  }

  #remember(): void {
    this.#probes.take(this.#documents.probe.list());
    if (this.#probes.memory !== this.view.memory) this.view.replaceMemory(this.#probes.memory);
  }

  #findInventory(host: string): Held<HostState> | undefined {
    const held = this.#documents.inventory.find(host);
    if (held === undefined) return undefined;
    const { digest, inventory } = held.document;
    const { generation, sequence } = this.findReported(host)?.document ?? { generation: 0, sequence: 0 };
    return { document: { host, generation, sequence, digest, inventory }, revision: held.revision };
  }
}
