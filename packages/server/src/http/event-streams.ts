// SPDX-License-Identifier: Apache-2.0

import { Readable } from "node:stream";
import type { ChangeMessage, Generation } from "@berth/core/protocol/api/answers";
import { formatEventId, formatStreamEvent, HEARTBEAT, parseEventId } from "@berth/core/protocol/api/event-stream";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { ChangeFeed } from "../inventory/change-feed.ts";

/** How streams are bounded. */
export interface StreamLimits {
  /** Streams at once. */
  readonly streams: number;
  /** Bytes that may wait for a slow reader before its stream is ended; it resumes where it stood. */
  readonly waitingBytes: number;
  readonly heartbeatMs: number;
}

export const STREAM_LIMITS: StreamLimits = { streams: 64, waitingBytes: 256 * 1024, heartbeatMs: 15_000 };

/** The event streams of one server. Owns them: `close` ends all. */
export class EventStreams {
  readonly #feed: ChangeFeed;
  readonly #limits: StreamLimits;
  readonly #open = new Set<Readable>();

  constructor(feed: ChangeFeed, limits: StreamLimits = STREAM_LIMITS) {
    this.#feed = feed;
    this.#limits = limits;
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * A stream of what changes from now on, or after the event of that id. Its first event tells where it begins: `hello`,
   * or `reset` where what was missed is not kept, and everything is to be read again. Throws BerthError.
   */
  open(lastEventId: string | undefined): Readable {
    if (this.#open.size >= this.#limits.streams) {
      throw new BerthError("too_many_streams", `${this.#limits.streams} event streams are followed already`, {
        expected: "fewer streams",
      });
    }
    const missed = lastEventId === undefined ? undefined : this.#feed.since(parseEventId(lastEventId));
    const stream = new Readable({ read: () => undefined });
    this.#open.add(stream);
    const ended = this.#feed.subscribe((message) => this.#send(stream, formatChange(message)));
    const timer = setInterval(() => this.#send(stream, HEARTBEAT), this.#limits.heartbeatMs);
    timer.unref();
    stream.on("close", () => {
      ended();
      clearInterval(timer);
      this.#open.delete(stream);
    });
    // A reader that goes away in the middle of a write ends its own stream and nothing else.
    stream.on("error", () => undefined);
    if (missed?.kind === "messages") stream.push(missed.messages.map(formatChange).join("") || HEARTBEAT);
    else stream.push(formatPosition(missed === undefined ? "hello" : "reset", this.#feed.generation));
    return stream;
  }

  /** Ends all streams. */
  close(): void {
    for (const stream of this.#open) stream.push(null);
  }

  #send(stream: Readable, text: string): void {
    if (stream.destroyed) return;
    if (stream.readableLength > this.#limits.waitingBytes) stream.destroy();
    else stream.push(text);
  }
}

function formatChange(message: ChangeMessage): string {
  return formatStreamEvent({ id: formatEventId(message.generation), event: "changes", data: message });
}

function formatPosition(event: "hello" | "reset", generation: Generation): string {
  return formatStreamEvent({ id: formatEventId(generation), event, data: { generation, changes: [] } });
}
