// SPDX-License-Identifier: Apache-2.0

import type { Occupant } from "@berth/core/capacity/pool";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import type { Problem } from "@berth/core/device/problem";
import type { InventoryChange } from "@berth/core/protocol/api/answers";

/** What claims hold on a host, or why that is not known: no room is then promised there. */
export type ViewedLedger = readonly Occupant[] | { readonly unknown: string };

/** What of a host was handed over to Berth. */
export interface ViewedAdoption {
  /** Parent ids. */
  readonly parents: readonly string[];
  /** VM ids. */
  readonly vms: readonly string[];
}

/** Changes that no part of the view follows from: they are told and nothing else. */
export type NotedChange =
  | Extract<InventoryChange, { kind: "claim-changed" | "probe-changed" }>
  | { readonly kind: "agent-changed"; readonly host: string };

/**
 * One revision of a view, while it is written. Nothing of it is seen before it is whole; what is said twice of one thing
 * counts as it was said last. Ledger, cordon, adoption and document problems of a host stand by themselves: they may come
 * before what the host shows, and stay when that is replaced or removed.
 */
export interface FleetEdit {
  /** What a host shows, in place of what it showed before. */
  putSnapshot(snapshot: HostSnapshot): void;
  /** Forgets what a host showed. */
  removeHost(host: string): void;
  /** What claims hold there, whether the host shows it or not; empty: nothing. */
  putLedger(host: string, ledger: ViewedLedger): void;
  /** What is wrong with what is stored of a host, beside the problems of its snapshot; empty: nothing. */
  putProblems(host: string, problems: readonly Problem[]): void;
  /** Stops placing on a host. */
  cordonHost(host: string): void;
  uncordonHost(host: string): void;
  /** What was handed over there, in place of what was before; both empty: nothing. */
  putAdoption(host: string, adoption: ViewedAdoption): void;
  note(change: NotedChange): void;
}

/** What an edit says of one host; what is undefined stays as it is. */
export interface HostDraft {
  shown?: HostSnapshot | "nothing";
  ledger?: ViewedLedger;
  problems?: readonly Problem[];
  isCordoned?: boolean;
  adoption?: ViewedAdoption;
}

/** An edit that was written, and not yet made. */
export interface WrittenEdit {
  /** In the order in which hosts were first named. */
  readonly hosts: ReadonlyMap<string, Readonly<HostDraft>>;
  readonly notes: readonly NotedChange[];
}

/** Has an edit written. What the callback throws is thrown, and nothing was changed. */
export function writeEdit(write: (edit: FleetEdit) => void): WrittenEdit {
  const hosts = new Map<string, HostDraft>();
  const notes: NotedChange[] = [];
  const draftOf = (host: string): HostDraft => {
    const draft = hosts.get(host) ?? {};
    hosts.set(host, draft);
    return draft;
  };
  write({
    putSnapshot: (snapshot) => void (draftOf(snapshot.host).shown = snapshot),
    removeHost: (host) => void (draftOf(host).shown = "nothing"),
    putLedger: (host, ledger) => void (draftOf(host).ledger = ledger),
    putProblems: (host, problems) => void (draftOf(host).problems = problems),
    cordonHost: (host) => void (draftOf(host).isCordoned = true),
    uncordonHost: (host) => void (draftOf(host).isCordoned = false),
    putAdoption: (host, adoption) => void (draftOf(host).adoption = adoption),
    note: (change) => void notes.push(change),
  });
  return { hosts, notes };
}
