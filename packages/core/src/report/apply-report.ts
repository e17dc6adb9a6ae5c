// SPDX-License-Identifier: Apache-2.0

import { applyDelta, unpackDelta } from "./delta.ts";
import { parseShape, type Catalogue } from "./fill-shape.ts";
import { countUtf8Bytes, INVENTORY_MAX_BYTES, type Digest, type Hash, type Inventory } from "./inventory.ts";
import { formatInventory, unpackInventory } from "./inventory-document.ts";
import { joinSnapshot } from "./join-snapshot.ts";
import type { Applied, HostState, RefusalCode, Report, ShapesSent } from "./report.ts";

/** What a server knows when a report comes in. */
export interface Receiver {
  /** The host that the sender's credential speaks for. */
  readonly host: string;
  readonly hash: Hash;
  readonly catalogue: Catalogue;
}

/**
 * Applies a report to what is known of its host. Nothing is applied in part: what is answered with `applied` has been
 * joined to a snapshot and found right. Never throws for what a report of the right type holds.
 */
export function applyReport(known: HostState | undefined, report: Report, receiver: Receiver): Applied {
  if (report.host !== receiver.host || (known !== undefined && known.host !== receiver.host)) {
    return refuse(
      "report_wrong_host",
      `The report is of host ${JSON.stringify(report.host)}, the sender speaks for ${JSON.stringify(receiver.host)}`,
    );
  }
  if (known !== undefined && isOlder(report, known)) {
    const newest = `generation ${known.generation}, sequence ${known.sequence}`;
    return refuse("report_out_of_order", `The report is older than the one known (${newest})`);
  }
  try {
    const shapes = readShapes(report.kind === "unchanged" ? {} : (report.shapes ?? {}), receiver);
    if ("kind" in shapes) return shapes;
    return applyContent(known, report, { ...receiver, ...shapes });
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return refuse("report_malformed", error.message);
    throw error;
  }
}

interface ReceiverWithShapes extends Receiver {
  readonly fresh: ReadonlyMap<Digest, string>;
}

function applyContent(known: HostState | undefined, report: Report, receiver: ReceiverWithShapes): Applied {
  if (report.kind === "unchanged") {
    if (known?.digest !== report.digest) return needSnapshot(known, report.digest);
    return { kind: "applied", state: moveOn(known, report), shapes: new Map() };
  }
  if (report.kind === "snapshot") return accept(known, unpackInventory(report.inventory), { report, receiver });
  // A delta that has been applied before is answered as it was then.
  if (known !== undefined && known.digest === report.digest) {
    return { kind: "applied", state: moveOn(known, report), shapes: new Map() };
  }
  if (known === undefined || known.digest !== report.base) return needSnapshot(known, report.base);
  return accept(known, applyDelta(known.inventory, unpackDelta(report.delta)), { report, receiver });
}

interface Arrival {
  readonly report: Report;
  readonly receiver: ReceiverWithShapes;
}

/** Takes an inventory that has arrived, once it is what its digest says, small enough, and joins to a snapshot. */
function accept(known: HostState | undefined, inventory: Inventory, { report, receiver }: Arrival): Applied {
  const { host, hash, catalogue, fresh } = receiver;
  if (inventory.host !== host) {
    return refuse("report_wrong_host", `The inventory is of host ${JSON.stringify(inventory.host)}`);
  }
  const text = formatInventory(inventory);
  const bytes = countUtf8Bytes(text);
  if (bytes > INVENTORY_MAX_BYTES) {
    return refuse("report_too_large", `The inventory takes ${bytes} bytes, more than ${INVENTORY_MAX_BYTES}`);
  }
  if (hash(text) !== report.digest) {
    if (report.kind === "delta")
      return { kind: "need-snapshot", why: "the delta does not lead to the digest that it names" };
    return refuse("report_malformed", "The inventory is not the one that its digest names");
  }
  const parsed = new Map([...fresh].map(([digest, shape]) => [digest, parseShape(shape)]));
  const joined = joinSnapshot(inventory, { find: (digest) => catalogue.find(digest) ?? parsed.get(digest) });
  if (joined.kind === "missing") return { kind: "need-shapes", shapes: joined.shapes };
  if (joined.kind === "malformed") return refuse("report_malformed", "The inventory makes no sense", joined.lines);
  const { generation, sequence, digest } = report;
  const state = { host, generation, sequence, digest, inventory };
  if (known?.digest === digest) return { kind: "applied", state, shapes: new Map() };
  return { kind: "applied", state, news: { text, snapshot: joined.snapshot }, shapes: fresh };
}

/** The shapes sent that the catalogue lacks, or why they are refused. */
function readShapes(
  sent: ShapesSent,
  { hash, catalogue }: Receiver,
): { readonly fresh: ReadonlyMap<Digest, string> } | Applied {
  const fresh = new Map<Digest, string>();
  for (const [digest, text] of Object.entries(sent)) {
    if (countUtf8Bytes(text) > INVENTORY_MAX_BYTES) {
      return refuse("report_too_large", `A shape takes more than ${INVENTORY_MAX_BYTES} bytes`);
    }
    if (hash(text) !== digest) {
      return refuse("report_shape_mismatch", `A shape is not the one that its digest names: ${digest.slice(0, 80)}`);
    }
    if (catalogue.find(digest) === undefined) fresh.set(digest, text);
  }
  return { fresh };
}

/** The same order with the same digest is a repetition, whose answer was lost: it is not older. */
function isOlder(report: Report, known: HostState): boolean {
  if (report.generation !== known.generation) return report.generation < known.generation;
  if (report.sequence !== known.sequence) return report.sequence < known.sequence;
  return report.digest !== known.digest;
}

function moveOn(known: HostState, { generation, sequence }: Report): HostState {
  return { ...known, generation, sequence };
}

function needSnapshot(known: HostState | undefined, digest: Digest): Applied {
  const why =
    known === undefined ? "nothing is known of the host" : `the inventory known is not ${digest.slice(0, 80)}`;
  return { kind: "need-snapshot", why };
}

function refuse(code: RefusalCode, message: string, lines: readonly string[] = []): Applied {
  return { kind: "refused", code, message, lines };
}
