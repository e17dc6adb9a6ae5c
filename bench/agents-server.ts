// SPDX-License-Identifier: Apache-2.0

import type { AddressInfo } from "node:net";
import { keyOf } from "@berth/server/documents/keys";
import { startControlPlane } from "@berth/server/control-plane/start-control-plane";
import { makeApiServer } from "@berth/server/http/make-server";
import { openSqliteStore } from "@berth/server/store/sqlite/sqlite-store";
import type { Write } from "@berth/server/store/store";
import { agentOf, fillStore, listHostWrites, nameOf, PACKS, POLICY, showHost } from "./claims-fleet.ts";

// A server in a process of its own: `node agents-server.ts DIRECTORY HOSTS enrolled|reported|there`. Tells its port when it
// serves, and what it takes of the machine whenever it is asked. `enrolled`: the agents have a credential and have not
// reported; `reported`: writes hosts and ends; `there`: the store has whatever it has.

/** What a server says of itself. */
export interface ServerState {
  readonly port: number;
  /** From the start of the process, seconds. */
  readonly readySeconds: number;
  readonly cpuUs: number;
  readonly residentMib: number;
  readonly heapMib: number;
  readonly hosts: number;
  readonly revision: number;
}

/** Idle connections are ended after so long: two for each of 10,000 agents may be more files than a process may open. */
const IDLE_MS = 5000;
const CARDS = 4;
const MIB = 2 ** 20;

const [directory = "", count = "0", state = "there"] = process.argv.slice(2);
const store = await openSqliteStore({ directory });
if (state === "enrolled") await fillStore(store, listAgents(Number(count)));
if (state === "reported") {
  for (let from = 0; from < Number(count); from += 1000) {
    const shown = Array.from({ length: Math.min(1000, Number(count) - from) }, (_, at) => showHost(from + at, CARDS));
    await fillStore(store, listHostWrites(shown));
  }
  await store.close();
} else {
  await serve();
}

function listAgents(hosts: number): readonly Write[] {
  return Array.from({ length: hosts }, (_, number) => {
    const agent = agentOf(nameOf(number));
    return { kind: "put", key: keyOf("agent", agent.host), value: JSON.stringify(agent) };
  });
}

async function serve(): Promise<void> {
  const log = (line: string): void => console.log(line);
  const onFatal = ({ message }: Error): void => log(message);
  const plane = await startControlPlane({ store, policy: POLICY, packs: PACKS, log, onFatal });
  const { view } = plane.control.replica;
  const server = makeApiServer({ view, control: plane.control, version: "0.0.0", tokens: () => undefined });
  server.server.keepAliveTimeout = IDLE_MS;
  await server.listen({ host: "127.0.0.1", port: 0 });
  const readySeconds = process.uptime();
  const { port } = server.server.address() as AddressInfo;
  const tell = (): void => {
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed } = process.memoryUsage();
    const figures = { residentMib: rss / MIB, heapMib: heapUsed / MIB, cpuUs: user + system };
    const hosts = view.hostNames.length;
    process.send?.({ port, readySeconds, hosts, revision: view.generation.revision, ...figures } satisfies ServerState);
  };
  process.on("message", (order: { readonly isCollected?: true }) => {
    if (order.isCollected === true) globalThis.gc?.();
    tell();
  });
  process.on("disconnect", () => process.exit());
  tell();
}
