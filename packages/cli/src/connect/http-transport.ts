// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import type { ApiRequest } from "@berth/core/protocol/api/client";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { Connection } from "./connection.ts";

/** An answer whose body has not been read. Whoever leaves the body before its end has closed the connection. */
export interface RawAnswer {
  readonly status: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Sends one request; `quietMs` is how long the server may say nothing, before or within its answer. */
export type Transport = (request: ApiRequest, quietMs: number) => Promise<RawAnswer>;

/** A transport over HTTP or HTTPS. Redirects are not followed: a token goes where it was meant to go. Throws BerthError. */
export function httpTransport({ url, ca }: Connection): Transport {
  const root = url.href.replace(/\/$/, "");
  const trusted = url.protocol === "https:" && ca !== undefined ? { ca: readCa(ca) } : {};
  return (request, quietMs) =>
    new Promise((resolve, reject) => {
      const options = { method: request.method, headers: request.headers, ...trusted };
      const fail = (error: Error): void => reject(explainFailure(error, root));
      const sent = (url.protocol === "https:" ? https : http).request(`${root}${request.path}`, options, (answer) => {
        resolve({ status: answer.statusCode ?? 0, body: readBody(answer, root) });
      });
      sent.setTimeout(quietMs, () => sent.destroy(new Error(`nothing was heard for ${quietMs / 1000} s`)));
      sent.on("error", fail);
      sent.end(request.body);
    });
}

async function* readBody(answer: http.IncomingMessage, root: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of answer) yield chunk as Uint8Array;
  } catch (error) {
    throw explainFailure(error instanceof Error ? error : new Error("the connection broke"), root);
  } finally {
    answer.destroy();
  }
}

function readCa(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : "it cannot be opened";
    throw new BerthError("file_unreadable", `Cannot read ${path}: ${why}`, {
      place: path,
      expected: "certificates as PEM",
      cause: error,
    });
  }
}

/** What OpenSSL and Node call a certificate that is not to be trusted. */
const CERTIFICATE = /CERT|SELF_SIGNED|ISSUER|UNABLE_TO_VERIFY|ALTNAME/;

/** The coded error behind a request that failed. */
export function explainFailure(error: NodeJS.ErrnoException, root: string): BerthError {
  if (error instanceof BerthError) return error;
  if (CERTIFICATE.test(error.code ?? "")) {
    return new BerthError("server_certificate_refused", `The certificate of ${root} is refused: ${error.message}`, {
      place: root,
      expected: "a certificate from an authority that is trusted, or --ca FILE with the one that made it",
      cause: error,
    });
  }
  return new BerthError("server_unreachable", `Cannot reach ${root}: ${wordsOf(error)}`, {
    place: "--server",
    expected: "a running server: berth server or berth demo starts one; --host NAME=ROOT and --demo need none",
    cause: error,
  });
}

/** Node tells several addresses that were tried as one error without a message. */
function wordsOf(error: NodeJS.ErrnoException): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors.map((each) => (each instanceof Error ? each.message : "no answer")).join("; ");
  }
  return error.message === "" ? (error.code ?? "no answer") : error.message;
}
