// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "../berth-error.ts";
import type { Generation } from "./answers.ts";

/** One event of a stream: its id where it has one, its kind, and its data as text. */
export interface StreamEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

/** Writes an event as server-sent events are written; the data is one line of JSON. */
export function formatStreamEvent(event: {
  readonly id: string;
  readonly event: string;
  readonly data: object;
}): string {
  return `id: ${event.id}\nevent: ${event.event}\ndata: ${JSON.stringify(event.data)}\n\n`;
}

/** A comment that keeps a connection open. */
export const HEARTBEAT = ": still here\n\n";

/** Writes a generation as the id of an event. */
export function formatEventId({ epoch, revision }: Generation): string {
  return `${epoch}:${revision}`;
}

/** Reads the id of an event. Throws BerthError `cursor_malformed`. */
export function parseEventId(text: string): Generation {
  const found = /^([\w.-]{1,64}):(0|[1-9]\d{0,14})$/.exec(text);
  const [, epoch, revision] = found ?? [];
  if (epoch !== undefined && revision !== undefined) return { epoch, revision: Number(revision) };
  throw new BerthError("cursor_malformed", `Cannot read the event id ${JSON.stringify(text.slice(0, 80))}`, {
    place: "Last-Event-ID",
    expected: "EPOCH:REVISION, as the id of an event of this API",
  });
}

/** What was read of a stream so far. */
export interface StreamText {
  readonly events: readonly StreamEvent[];
  /** The beginning of an event whose end has not arrived. */
  readonly rest: string;
}

/** Reads the whole events of a text (`text/event-stream`, line ends LF or CRLF); comments are left out. */
export function parseStreamText(text: string): StreamText {
  const blocks = text.replaceAll("\r\n", "\n").split("\n\n");
  const rest = blocks.pop() ?? "";
  return { events: blocks.flatMap(parseBlock), rest };
}

function parseBlock(block: string): readonly StreamEvent[] {
  const fields = block.split("\n").flatMap((line): readonly (readonly [string, string])[] => {
    const colon = line.indexOf(":");
    return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")]] : [];
  });
  const data = fields.filter(([name]) => name === "data").map(([, value]) => value);
  if (data.length === 0) return [];
  const last = (wanted: string): string | undefined => fields.findLast(([name]) => name === wanted)?.[1];
  return [{ id: last("id"), event: last("event") ?? "message", data: data.join("\n") }];
}
