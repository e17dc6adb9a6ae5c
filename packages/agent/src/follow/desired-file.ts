// SPDX-License-Identifier: Apache-2.0

import type { DesiredCursor } from "@berth/core/provision/desired-state";
import { makePrivateDirectory, replaceFile } from "../provision/durable-file.ts";
import { readDurableJson } from "./durable-json.ts";

/** The newest desired state that was followed, and the highest fence of it or of any before; on disk. */
export interface DesiredFile {
  readonly cursor: DesiredCursor | undefined;
  readonly highestFence: number;
  /** The highest fence of the first state that was followed: journals tell all of claims with a higher one. */
  readonly firstFence: number | undefined;
  /**
   * Takes note of a desired state before it is followed. `older` where a newer one of the same epoch was followed. A
   * store that was restored from a backup has another epoch and counts afresh: it is followed, and fences protect.
   */
  admit(cursor: DesiredCursor, highestFence: number): "admitted" | "older";
}

interface Kept {
  readonly format: 1;
  readonly cursor?: DesiredCursor;
  readonly highestFence: number;
  readonly firstFence?: number;
}

const NAME = "desired.json";

/** Opens the file of a state directory. Throws SyntaxError for a damaged one, and what the file system throws. */
export function openDesiredFile(directory: string): DesiredFile {
  makePrivateDirectory(directory);
  let kept: Kept = readDurableJson(`${directory}/${NAME}`, isKept) ?? { format: 1, highestFence: 0 };
  return {
    get cursor() {
      return kept.cursor;
    },
    get highestFence() {
      return kept.highestFence;
    },
    get firstFence() {
      return kept.firstFence;
    },
    admit: ({ epoch, revision }, fence) => {
      const { cursor } = kept;
      const isSameEpoch = cursor?.epoch === epoch;
      if (isSameEpoch && revision < cursor.revision) return "older";
      const highestFence = Math.max(kept.highestFence, fence);
      if (isSameEpoch && revision === cursor.revision && highestFence === kept.highestFence) return "admitted";
      const firstFence = kept.firstFence ?? fence;
      const next: Kept = { format: 1, cursor: { epoch, revision }, highestFence, firstFence };
      replaceFile(directory, NAME, `${JSON.stringify(next)}\n`);
      kept = next;
      return "admitted";
    },
  };
}

function isKept({ format, cursor, highestFence, firstFence }: Readonly<Record<string, unknown>>): boolean {
  if (format !== 1 || !Number.isSafeInteger(highestFence)) return false;
  if (firstFence !== undefined && !Number.isSafeInteger(firstFence)) return false;
  if (cursor === undefined) return true;
  if (typeof cursor !== "object" || cursor === null) return false;
  const { epoch, revision } = cursor as Partial<DesiredCursor>;
  return typeof epoch === "string" && Number.isSafeInteger(revision);
}
