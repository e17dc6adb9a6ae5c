// SPDX-License-Identifier: Apache-2.0

import { ledgerOccupants } from "@berth/core/claim/ledger-document";
import type { FleetEdit } from "../inventory/fleet-view.ts";
import { documentProblem } from "../inventory/unreadable-host.ts";
import type { JoinedHosts } from "./joined-hosts.ts";
import type { StoredDocuments, Touched } from "./stored-documents.ts";

/** What a view is written from. */
export interface ViewSource {
  readonly documents: StoredDocuments;
  readonly joined: JoinedHosts;
}

/**
 * Writes into a view what documents say that changed. What cannot be read is never taken for a yes: a host without a
 * readable inventory offers nothing, one without a readable ledger promises no room, one whose cordon cannot be read is
 * cordoned, and nothing is adopted by what cannot be read.
 */
export function writeView(edit: FleetEdit, source: ViewSource, touched: Touched): void {
  const { documents, joined } = source;
  for (const host of new Set([...touched.inventory, ...joined.findMoved(touched.catalogue)])) {
    const snapshot = joined.join(host);
    if (snapshot === undefined) edit.removeHost(host);
    else edit.putSnapshot(snapshot);
  }
  for (const host of touched.ledger) writeLedger(edit, documents, host);
  for (const host of touched.cordon) {
    if (documents.cordon.has(host)) edit.cordonHost(host);
    else edit.uncordonHost(host);
  }
  for (const host of touched.adoption) {
    edit.putAdoption(host, documents.adoption.find(host)?.document ?? { parents: [], vms: [] });
  }
  const named = ["adoption", "agent", "cordon", "ledger", "reported"] as const;
  for (const host of new Set(named.flatMap((kind) => [...touched[kind]]))) {
    edit.putProblems(
      host,
      documents.problemsOf(host).map(({ message }) => documentProblem(host, message)),
    );
  }
  writeNotes(edit, documents, touched);
}

function writeLedger(edit: FleetEdit, documents: StoredDocuments, host: string): void {
  const problem = documents.ledger.findProblem(host);
  const held = documents.ledger.find(host);
  if (problem !== undefined) edit.putLedger(host, { unknown: `what claims hold is not known: ${problem.message}` });
  else edit.putLedger(host, held === undefined ? [] : ledgerOccupants(held.document));
}

function writeNotes(edit: FleetEdit, documents: StoredDocuments, touched: Touched): void {
  for (const host of touched.agent) edit.note({ kind: "agent-changed", host });
  for (const id of touched.claim) {
    const claim = documents.claim.find(id)?.document;
    if (claim !== undefined) edit.note({ kind: "claim-changed", host: claim.host, claim: id, state: claim.state });
  }
  for (const id of touched.probe) {
    const probe = documents.probe.find(id)?.document;
    if (probe !== undefined) edit.note({ kind: "probe-changed", host: probe.host, probe: id });
  }
}
