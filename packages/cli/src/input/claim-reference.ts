// SPDX-License-Identifier: Apache-2.0

import { readAllPages } from "@berth/core/protocol/api/client";
import type { ControlClient } from "@berth/core/protocol/api/control-client";
import { BerthError } from "@berth/core/protocol/berth-error";

/** Shortest beginning of an id that is looked for. */
const PREFIX_MIN = 4;

/**
 * Asks something of a claim that is named by its id or by the beginning of it. The whole id is tried first, so no list is
 * read where it was given. Throws BerthError: what the question throws, or `invalid_reference` where several claims fit.
 */
export async function withClaim<T>(
  text: string,
  control: Pick<ControlClient, "listClaims">,
  ask: (id: string) => Promise<T>,
): Promise<T> {
  try {
    return await ask(text);
  } catch (error) {
    const isShort = error instanceof BerthError && error.code === "unknown_claim" && text.length >= PREFIX_MIN;
    const id = isShort ? await findClaimId(text, control) : undefined;
    if (id === undefined) throw error;
    return ask(id);
  }
}

async function findClaimId(text: string, control: Pick<ControlClient, "listClaims">): Promise<string | undefined> {
  const { items } = await readAllPages((query) => control.listClaims(query));
  const ids = items.map(({ id }) => id).filter((id) => id.startsWith(text) && id !== text);
  if (ids.length <= 1) return ids[0];
  throw new BerthError("invalid_reference", `${ids.length} claims begin with ${JSON.stringify(text.slice(0, 80))}`, {
    place: text,
    expected: `one of ${ids.slice(0, 4).join(", ")}${ids.length > 4 ? `, and ${ids.length - 4} more` : ""}`,
  });
}
