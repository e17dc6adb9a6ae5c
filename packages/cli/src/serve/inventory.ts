// SPDX-License-Identifier: Apache-2.0

import { randomBytes } from "node:crypto";
import { makeClient, type ApiClient, type FetchLike } from "@berth/core/protocol/api/client";
import { BerthError } from "@berth/core/protocol/berth-error";
import { fetchInProcess } from "@berth/server/http/in-process";
import { makeApiServer } from "@berth/server/http/make-server";
import { FleetView } from "@berth/server/inventory/fleet-view";
import packageJson from "../../package.json" with { type: "json" };
import { readHosts, type HostOptions } from "../input/hosts.ts";
import { readTextFile } from "../input/json-file.ts";
import { readPacks, readPolicy, type StatementOptions } from "../input/statements.ts";

/** Where an inventory is asked: a server, or hosts that are read here and now. */
export interface InventoryOptions extends HostOptions {
  readonly server?: string;
  readonly tokenFile?: string;
}

/** A server may take this long to answer. */
const ANSWER_MS = 30_000;

/** A client of the server that is named, or of one inside this process over the hosts that are named. */
export function openInventory(options: InventoryOptions): ApiClient {
  if (options.server !== undefined) {
    const token = options.tokenFile === undefined ? undefined : readTextFile(options.tokenFile).trim();
    return makeClient(fetchOver(parseServerUrl(options.server)), token === undefined ? {} : { token });
  }
  if (options.host.length === 0 && options.demo !== true) {
    throw new BerthError("bad_host_argument", "Neither a server nor a host was given", {
      place: "--server",
      expected: "--server URL, or --host NAME=ROOT for each host, or --demo",
    });
  }
  const view = makeView({});
  for (const snapshot of readHosts(options)) view.putSnapshot(snapshot);
  const { version } = packageJson;
  return makeClient(fetchInProcess(makeApiServer({ view, version, tokens: () => undefined, lagSeconds: () => 0 })));
}

/** An empty view under the packs and the policy in force, of an epoch that no other has. */
export function makeView(options: StatementOptions): FleetView {
  const epoch = randomBytes(6).toString("hex");
  return new FleetView({ policy: readPolicy(options), packs: readPacks(options), epoch });
}

function parseServerUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain =
    url !== undefined && url.search === "" && url.hash === "" && url.username === "" && url.password === "";
  if (isPlain && (url.protocol === "http:" || url.protocol === "https:")) return url;
  throw new BerthError("usage_bad_value", `Cannot read --server ${JSON.stringify(text.slice(0, 80))}`, {
    place: "--server",
    expected: "a URL such as http://127.0.0.1:7411",
  });
}

function fetchOver(base: URL): FetchLike {
  const root = base.href.replace(/\/$/, "");
  return async ({ method, path, headers, body }) => {
    try {
      const signal = AbortSignal.timeout(ANSWER_MS);
      const init = { method, headers, redirect: "error" as const, signal, ...(body === undefined ? {} : { body }) };
      const answer = await fetch(`${root}${path}`, init);
      return { status: answer.status, body: await answer.text() };
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      const why = cause instanceof Error ? cause.message : "no answer";
      throw new BerthError("server_unreachable", `Cannot reach ${root}: ${why}`, {
        place: "--server",
        expected: "a running berth server",
        cause: error,
      });
    }
  };
}
