// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "@berth/core/protocol/berth-error";
import { parseInventory } from "@berth/core/protocol/report-schema";
import { parseShape } from "@berth/core/report/fill-shape";
import { SECTIONS, type Digest, type Inventory } from "@berth/core/report/inventory";
import type { HostState } from "@berth/core/report/report";
import type { AgentDocument, ReportedDocument } from "../documents/documents.ts";
import { keyOf } from "../documents/keys.ts";
import type { Held } from "../replica/replica.ts";
import type { Store, Write } from "../store/store.ts";
import { TRANSACTION_MAX } from "../store/store.ts";
import { agentCompare, ATTEMPTS_MAX, compareOf } from "./agent-documents.ts";
import { batchWrites } from "./write-batches.ts";

/** An inventory that is to be written, and what it was decided on. */
export interface InventoryWrite {
  readonly agent: Held<AgentDocument>;
  /** Revision of `inventory/<host>`; undefined: there was none. */
  readonly inventory: number | undefined;
  readonly text: string;
  readonly reported: ReportedDocument;
}

/** Writes an inventory with its report; undefined where the inventory or the agent is not what it was decided on. */
export async function writeInventory(store: Store, write: InventoryWrite): Promise<number | undefined> {
  const { host } = write.agent.document;
  const key = keyOf("inventory", host);
  const answer = await store.transact({
    compares: [agentCompare(host, write.agent), compareOf(key, write.inventory)],
    writes: [
      { kind: "put", key, value: write.text },
      { kind: "put", key: keyOf("reported", host), value: JSON.stringify(write.reported) },
    ],
  });
  return answer.kind === "written" ? answer.revision : undefined;
}

/**
 * Puts shapes that the catalogue lacks, those alone that the inventory rests on. Others may put the same ones meanwhile:
 * a shape is written once, and never written over.
 */
export async function writeShapes(
  store: Store,
  inventory: Inventory,
  shapes: ReadonlyMap<Digest, string>,
): Promise<void> {
  const writes = [...usedShapes(inventory, shapes)].map((digest): Write => {
    return { kind: "put", key: keyOf("catalogue", digest), value: shapes.get(digest) ?? "" };
  });
  // Each write has a compare.
  for (const batch of batchWrites(writes, TRANSACTION_MAX / 2)) await writeAbsent(store, batch);
}

async function writeAbsent(store: Store, batch: readonly Write[]): Promise<void> {
  let left = batch;
  while (left.length > 0) {
    const answer = await store.transact({ compares: left.map(({ key }) => ({ kind: "absent", key })), writes: left });
    if (answer.kind === "written") return;
    const there = new Set(answer.failed.map(({ key }) => key));
    left = left.filter(({ key }) => !there.has(key));
  }
}

/** Digests of sent shapes that the inventory's records name, and of those within them; sorted. */
function usedShapes(inventory: Inventory, sent: ReadonlyMap<Digest, string>): readonly Digest[] {
  const used = new Set<Digest>();
  for (const section of SECTIONS) for (const { shape } of inventory.sections[section]) used.add(shape);
  for (const digest of used) {
    const text = sent.get(digest);
    if (text !== undefined) for (const nested of parseShape(text).nested) used.add(nested);
  }
  return [...used].filter((digest) => sent.has(digest)).toSorted();
}

/** Reads what the store has of a host's report, whatever the replica knows: both documents of one transaction. */
export async function readState(store: Store, host: string): Promise<Held<HostState> | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const [inventory] = (await store.read({ key: keyOf("inventory", host) })).documents;
    if (inventory === undefined) return undefined;
    const [reported] = (await store.read({ key: keyOf("reported", host) })).documents;
    if (reported?.revision !== inventory.revision) continue;
    const { generation, sequence, digest } = JSON.parse(reported.value) as ReportedDocument;
    const document = parseInventory(JSON.parse(inventory.value), inventory.key);
    return { document: { host, generation, sequence, digest, inventory: document }, revision: inventory.revision };
  }
  throw new BerthError("store_unavailable", `The inventory of ${host} is written by others all the time`);
}
