// SPDX-License-Identifier: Apache-2.0

import { planDelta, packDelta } from "./delta.ts";
import type { Digest } from "./inventory.ts";
import { packInventory } from "./inventory-document.ts";
import { REPORT_FORMAT, type Report, type ReportOrder, type ShapesSent } from "./report.ts";
import type { SplitSnapshot } from "./split-snapshot.ts";

/** A delta that is longer than this share of the inventory is not worth its risk. */
const DELTA_SHARE = 0.5;

/**
 * Decides what an agent sends: a digest where nothing changed since `previous`, the last split that the server has
 * acknowledged in this generation; else what changed and the shapes that came with it; else, and where the server has
 * acknowledged nothing, all of it without shapes. The server asks for the shapes that it lacks.
 */
export function decideReport(previous: SplitSnapshot | undefined, current: SplitSnapshot, order: ReportOrder): Report {
  const { generation, sequence } = order;
  const { host } = current.inventory;
  const head = { report: REPORT_FORMAT, host, generation, sequence, digest: current.digest } as const;
  if (previous?.digest === current.digest) return { ...head, kind: "unchanged" };
  if (previous !== undefined && previous.inventory.host === host) {
    const delta = packDelta(planDelta(previous.inventory, current.inventory));
    const shapes = shapesOf(current, (digest) => !previous.shapes.has(digest));
    const sent = Object.keys(shapes).length === 0 ? {} : { shapes };
    if (JSON.stringify(delta).length <= current.text.length * DELTA_SHARE) {
      return { ...head, kind: "delta", base: previous.digest, delta, ...sent };
    }
    return { ...head, kind: "snapshot", inventory: packInventory(current.inventory), ...sent };
  }
  return { ...head, kind: "snapshot", inventory: packInventory(current.inventory) };
}

/** A snapshot report with the shapes that a server asked for; those that this host does not have are passed over. */
export function reportWithShapes(current: SplitSnapshot, order: ReportOrder, asked: readonly Digest[]): Report {
  const report = decideReport(undefined, current, order);
  const wanted = new Set(asked);
  return { ...report, kind: "snapshot", shapes: shapesOf(current, (digest) => wanted.has(digest)) } as Report;
}

function shapesOf(split: SplitSnapshot, isWanted: (digest: Digest) => boolean): ShapesSent {
  return Object.fromEntries([...split.shapes].filter(([digest]) => isWanted(digest)));
}
