// SPDX-License-Identifier: Apache-2.0

import type { Claim } from "@berth/core/claim/claim";
import type { LedgerDocument } from "@berth/core/claim/ledger-document";
import type { Shape } from "@berth/core/report/fill-shape";
import type {
  AdoptionDocument,
  AgentDocument,
  CordonDocument,
  PresenceDocument,
  ProbeDocument,
  ReportedDocument,
} from "../documents/documents.ts";
import { PREFIXES, type DocumentKind } from "../documents/keys.ts";
import type { Change, Revision } from "../store/store.ts";
import { ClaimIndex } from "./claim-index.ts";
import { DocumentTable } from "./document-table.ts";
import { PARSERS, type StoredInventory } from "./parse-documents.ts";
import type { DocumentProblem, Held } from "./replica.ts";

/** The kinds of documents that a replica keeps, sorted. */
export const KEPT_KINDS: readonly KeptKind[] = [
  "adoption",
  "agent",
  "catalogue",
  "claim",
  "cordon",
  "inventory",
  "ledger",
  "presence",
  "probe",
  "reported",
];
export type KeptKind = Exclude<DocumentKind, "audit" | "enrolment" | "idem" | "singleton">;

/** The names of what changed, by kind. */
export type Touched = Readonly<Record<KeptKind, ReadonlySet<string>>>;

/** Everything of the store that a replica keeps, parsed. */
export class StoredDocuments {
  readonly adoption: DocumentTable<AdoptionDocument> = new DocumentTable("adoption", PARSERS.adoption);
  readonly agent: DocumentTable<AgentDocument> = new DocumentTable("agent", PARSERS.agent);
  readonly catalogue: DocumentTable<Shape> = new DocumentTable("catalogue", PARSERS.catalogue);
  readonly claim: DocumentTable<Claim> = new DocumentTable("claim", PARSERS.claim);
  readonly cordon: DocumentTable<CordonDocument> = new DocumentTable("cordon", PARSERS.cordon);
  readonly inventory: DocumentTable<StoredInventory> = new DocumentTable("inventory", PARSERS.inventory);
  readonly ledger: DocumentTable<LedgerDocument> = new DocumentTable("ledger", PARSERS.ledger);
  readonly presence: DocumentTable<PresenceDocument> = new DocumentTable("presence", PARSERS.presence);
  readonly probe: DocumentTable<ProbeDocument> = new DocumentTable("probe", PARSERS.probe);
  readonly reported: DocumentTable<ReportedDocument> = new DocumentTable("reported", PARSERS.reported);
  readonly claims: ClaimIndex = new ClaimIndex();

  /** Takes in changes, but those that are older than what stands there. Answers what changed. */
  take(changes: readonly Change[]): Touched {
    const touched = nothingTouched();
    for (const change of changes) {
      const found = splitKey(change.kind === "put" ? change.document.key : change.key);
      if (found !== undefined && this.#takeOne(found.kind, found.name, change)) touched[found.kind].add(found.name);
    }
    return touched;
  }

  /** Claims of a host, sorted by id. */
  claimsOf(host: string): readonly Held<Claim>[] {
    return [...this.claims.ofHost(host)].toSorted().flatMap((id) => this.claim.find(id) ?? []);
  }

  /** Every key that stands here, with its revision. */
  revisions(): ReadonlyMap<string, Revision> {
    return new Map(
      KEPT_KINDS.flatMap((kind) =>
        [...this[kind].names()].map((name) => [`${PREFIXES[kind]}${name}`, this[kind].revisionOf(name) ?? 0] as const),
      ),
    );
  }

  /** Documents that cannot be read, sorted by key. */
  problems(): readonly DocumentProblem[] {
    const all = KEPT_KINDS.flatMap((kind) => (this[kind].hasProblems ? [...this[kind].problems()] : []));
    return all.length < 2 ? all : all.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Problems with documents of a host that are named by it, but the inventory: that one is the host's own. */
  problemsOf(host: string): readonly DocumentProblem[] {
    const kinds = ["adoption", "agent", "cordon", "ledger", "reported"] as const;
    return kinds.flatMap((kind) => this[kind].findProblem(host) ?? []);
  }

  #takeOne(kind: KeptKind, name: string, change: Change): boolean {
    const table = this[kind];
    const known = table.revisionOf(name);
    const revision = change.kind === "put" ? change.document.revision : change.revision;
    if (known === undefined ? change.kind === "delete" : known >= revision) return false;
    const before = kind === "claim" ? this.claim.find(name) : undefined;
    if (before !== undefined) this.claims.remove(before.document);
    if (change.kind === "put") table.put(name, change.document);
    else table.delete(name);
    const after = kind === "claim" ? this.claim.find(name) : undefined;
    if (after !== undefined) this.claims.add(after.document);
    return true;
  }
}

/** Nothing has changed yet. */
function nothingTouched(): Record<KeptKind, Set<string>> {
  const none = (): Set<string> => new Set();
  return {
    adoption: none(),
    agent: none(),
    catalogue: none(),
    claim: none(),
    cordon: none(),
    inventory: none(),
    ledger: none(),
    presence: none(),
    probe: none(),
    reported: none(),
  };
}

/** The kind and the name that a key is made of; undefined where no replica keeps what stands there. */
export function splitKey(key: string): { readonly kind: KeptKind; readonly name: string } | undefined {
  const kind = KEPT_KINDS.find((candidate) => key.startsWith(PREFIXES[candidate]));
  return kind === undefined ? undefined : { kind, name: key.slice(PREFIXES[kind].length) };
}
