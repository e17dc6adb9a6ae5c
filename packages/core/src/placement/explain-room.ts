// SPDX-License-Identifier: Apache-2.0

import type { Pool } from "../capacity/pool.ts";

/** Why a pool has no room for another device of a type, in the words of its own devices; no full stop. */
export function explainNoRoom(pool: Pool | undefined, type: string): string {
  const holders = new Map<string, number>();
  for (const occupant of pool?.occupants ?? []) {
    const known = occupant.type === "" ? "device of unknown type" : occupant.type;
    const name = occupant.count === 1 ? known : `${known} of ${occupant.count} units`;
    holders.set(name, (holders.get(name) ?? 0) + 1);
  }
  const held = [...holders].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `${count} x ${name}`);
  const law = pool?.law.kind === "one-size" ? " and holds one framebuffer size at a time" : "";
  const why = held.length === 0 ? "" : `: it holds ${held.join(", ")}${law}`;
  return `no room for another ${type} now${why}`;
}
