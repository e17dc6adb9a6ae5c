// SPDX-License-Identifier: Apache-2.0

import { countUtf8Bytes } from "@berth/core/report/inventory";
import type { Write } from "../store/store.ts";
import { TRANSACTION_BYTES_MAX } from "../store/store.ts";

/** Puts writes together into transactions, in their order: at most so many of them, and no more bytes than the store takes. */
export function batchWrites(writes: readonly Write[], most: number): readonly (readonly Write[])[] {
  const batches: Write[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const write of writes) {
    const size = write.kind === "put" ? countUtf8Bytes(write.value) : 0;
    const last = batches.at(-1);
    if (last === undefined || last.length >= most || bytes + size > TRANSACTION_BYTES_MAX) {
      batches.push([write]);
      bytes = size;
    } else {
      last.push(write);
      bytes += size;
    }
  }
  return batches;
}
