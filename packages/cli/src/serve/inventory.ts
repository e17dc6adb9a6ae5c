// SPDX-License-Identifier: Apache-2.0

import { randomBytes } from "node:crypto";
import { makeClient, type ApiClient } from "@berth/core/protocol/api/client";
import { fetchInProcess } from "@berth/server/http/in-process";
import { makeApiServer } from "@berth/server/http/make-server";
import { FleetView } from "@berth/server/inventory/fleet-view";
import packageJson from "../../package.json" with { type: "json" };
import { readHosts, type HostOptions } from "../input/hosts.ts";
import { readPacks, readPolicy, type StatementOptions } from "../input/statements.ts";

/** A client of a server inside this process, over the hosts that are named. */
export function openInventory(options: HostOptions): ApiClient {
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
