// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import { makeClient, type ApiClient, type FetchLike } from "@berth/core/protocol/api/client";
import { makeControlClient, type ControlClient } from "@berth/core/protocol/api/control-client";
import { parseErrorAnswer } from "@berth/core/protocol/api/api-error";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { Connection } from "./connection.ts";
import { httpTransport, type RawAnswer, type Transport } from "./http-transport.ts";

/** A server as commands use it. Every call throws BerthError. */
export interface ServerLink {
  readonly url: URL;
  readonly inventory: ApiClient;
  readonly control: ControlClient;
  /** Reads a path as it comes, such as events or a backup; `quietMs` is how long nothing may come. */
  readonly read: (target: StreamTarget) => Promise<AsyncIterable<Uint8Array>>;
}

export interface StreamTarget {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly quietMs: number;
}

/** A server may say nothing for this long before an answer. */
const ANSWER_MS = 30_000;
/** Largest answer that is no stream, in bytes: a page of a list is far below. */
const ANSWER_BYTES = 256 * 1024 * 1024;

/** The way to a server over HTTP; nothing is sent yet. */
export function openServer(connection: Connection): ServerLink {
  return linkOver(httpTransport(connection), connection);
}

/** The way to a server over a transport. */
export function linkOver(transport: Transport, { url, token }: Connection): ServerLink {
  const fetchLike: FetchLike = async (request) => {
    const answer = await transport(request, ANSWER_MS);
    return { status: answer.status, body: await readWhole(answer) };
  };
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const options = token === undefined ? {} : { token };
  return {
    url,
    inventory: makeClient(fetchLike, options),
    control: makeControlClient(fetchLike, { ...options, newKey: randomUUID }),
    read: async ({ path, headers, quietMs }) => {
      const answer = await transport({ method: "GET", path, headers: { ...headers, ...authorization } }, quietMs);
      if (answer.status === 200) return answer.body;
      throw parseErrorAnswer(parseJson(await readWhole(answer)), { status: answer.status, place: `GET ${path}` });
    },
  };
}

async function readWhole({ body }: RawAnswer): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > ANSWER_BYTES) {
      throw new BerthError("server_answer_malformed", `An answer has more than ${ANSWER_BYTES} bytes`, {
        expected: "an answer of Berth's API, version 1",
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
