// SPDX-License-Identifier: Apache-2.0

import type { Generation, InventoryChange } from "@berth/core/protocol/api/answers";
import { formatEventId, type StreamEvent } from "@berth/core/protocol/api/event-stream";
import { BerthError } from "@berth/core/protocol/berth-error";
import { printable } from "./table.ts";

/** What an event carries. Changes of a kind that this version does not know are kept as they are. */
export interface ShownMessage {
  readonly generation: Generation;
  readonly changes: readonly InventoryChange[];
}

/** Reads the data of an event. Throws BerthError `server_answer_malformed`. */
export function parseChangeMessage({ data }: StreamEvent): ShownMessage {
  const message = parseJson(data);
  if (isMessage(message)) return message;
  throw new BerthError("server_answer_malformed", "An event is none of this API", {
    place: "GET /v1/events",
    expected: "an answer of Berth's API, version 1",
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isMessage(value: unknown): value is ShownMessage {
  if (typeof value !== "object" || value === null) return false;
  const { generation, changes } = value as Partial<Record<keyof ShownMessage, unknown>>;
  if (typeof generation !== "object" || generation === null || !Array.isArray(changes)) return false;
  const { epoch, revision } = generation as Partial<Record<keyof Generation, unknown>>;
  const isNamed = changes.every((change: unknown) => typeof change === "object" && change !== null);
  return typeof epoch === "string" && typeof revision === "number" && isNamed;
}

/** One line a change, its id first, each with its end of line. */
export function formatEvent(event: string, { generation, changes }: ShownMessage): string {
  const id = printable(formatEventId(generation));
  if (event === "reset") return `${id}  RESET  what was missed is not kept: read everything again\n`;
  if (event === "hello") return `${id}  now\n`;
  return changes.map((change) => `${id}  ${printable(changeWords(change))}\n`).join("");
}

function changeWords(change: InventoryChange): string {
  if (change.kind === "claim-changed") return `${change.kind}  ${change.host}  ${change.claim}  ${change.state}`;
  if (change.kind === "probe-changed") return `${change.kind}  ${change.host}  ${change.probe}`;
  return `${change.kind}  ${change.host}`;
}
