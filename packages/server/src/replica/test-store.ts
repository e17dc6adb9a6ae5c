// SPDX-License-Identifier: Apache-2.0

import type { Claim } from "@berth/core/claim/claim";
import { formatLedger, type LedgerDocument } from "@berth/core/claim/ledger-document";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { testSnapshot, type TestHost } from "@berth/core/placement/test-fleet";
import type { ReportOrder } from "@berth/core/report/report";
import { splitSnapshot } from "@berth/core/report/split-snapshot";
import type {
  AdoptionDocument,
  AgentDocument,
  CordonDocument,
  PresenceDocument,
  ProbeDocument,
  ReportedDocument,
} from "../documents/documents.ts";
import { keyOf, sha256, type DocumentKind } from "../documents/keys.ts";
import { ManualAlarm } from "../store/memory/manual-alarm.ts";
import { MemoryJournal } from "../store/memory/memory-journal.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import type { Revision, Store, Write } from "../store/store.ts";

/** A store in memory that tests write hosts and claims into, as the parts of a server would. */
export interface TestStore {
  readonly store: Store;
  readonly journal: MemoryJournal;
  readonly alarm: ManualAlarm;
  /** Writes all of it in one transaction; answers its revision. */
  readonly write: (...writes: readonly (Write | readonly Write[])[]) => Promise<Revision>;
}

/** A store without documents; its revisions begin at 0. */
export function openTestStore(epoch = "test"): TestStore {
  const alarm = new ManualAlarm();
  const journal = new MemoryJournal({ epoch, alarm: alarm.set });
  const store = new MemoryStore(journal);
  const write: TestStore["write"] = async (...writes) => {
    const answer = await store.transact({ compares: [], writes: distinct(writes.flat()) });
    return answer.revision;
  };
  return { store, journal, alarm, write };
}

/** Hosts write shapes that they share: each key is written once. */
function distinct(writes: readonly Write[]): readonly Write[] {
  return [...new Map(writes.map((write) => [write.key, write])).values()];
}

/** Any document; a text is written as it is. */
export function putDocument(kind: DocumentKind, name: string, document: object | string): Write {
  const value = typeof document === "string" ? document : JSON.stringify(document);
  return { kind: "put", key: keyOf(kind, name), value };
}

export function deleteDocument(kind: DocumentKind, name: string): Write {
  return { kind: "delete", key: keyOf(kind, name) };
}

/** Shapes, inventory and report of a host. */
export function putHost(
  shown: HostSnapshot | TestHost,
  order: ReportOrder = { generation: 1, sequence: 1 },
): readonly Write[] {
  const snapshot = "kernel" in shown ? shown : testSnapshot(shown);
  const { text, digest, shapes } = splitSnapshot(snapshot, sha256);
  const reported: ReportedDocument = { ...order, digest, atMs: 0 };
  return [
    ...[...shapes].map(([name, shape]) => putDocument("catalogue", name, shape)),
    putDocument("inventory", snapshot.host, text),
    putDocument("reported", snapshot.host, reported),
  ];
}

export function putLedger(ledger: LedgerDocument): Write {
  return putDocument("ledger", ledger.host, formatLedger(ledger));
}

export function putClaim(claim: Claim): Write {
  return putDocument("claim", claim.id, claim);
}

export function putAgent(host: string, parts: Partial<AgentDocument> = {}): Write {
  const agent: AgentDocument = {
    host,
    credential: sha256(`credential of ${host}`),
    enrolledAtMs: 0,
    enrolledBy: "test",
    generation: 1,
    session: "session-1",
    replaced: [],
    ...parts,
  };
  return putDocument("agent", host, agent);
}

export function putCordon(host: string): Write {
  const cordon: CordonDocument = { host, principal: "test", atMs: 0 };
  return putDocument("cordon", host, cordon);
}

export function putAdoption(host: string, adopted: Partial<Pick<AdoptionDocument, "parents" | "vms">>): Write {
  const adoption: AdoptionDocument = { host, parents: [], vms: [], ...adopted };
  return putDocument("adoption", host, adoption);
}

export function putPresence(replica: string, hosts: readonly string[]): Write {
  const presence: PresenceDocument = { replica, hosts };
  return putDocument("presence", `${replica}/1`, presence);
}

/** A question to the driver of a host, answered where a reply is given. */
export function putProbe(probe: Pick<ProbeDocument, "id" | "host"> & Partial<ProbeDocument>): Write {
  const { id } = probe;
  const document: ProbeDocument = {
    wanted: { id, at: { kind: "type", parent: "p", type: "drv-a" }, version: "v", driverPrefix: "drv" },
    pairKey: `["pair of ${id}"]`,
    source: { host: "src", subject: "device" },
    principal: "test",
    createdAtMs: 0,
    ...probe,
  };
  return putDocument("probe", id, document);
}
