// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BerthError } from "@berth/core/protocol/berth-error";
import { startControlPlane } from "@berth/server/control-plane/start-control-plane";
import { fetchInProcess } from "@berth/server/http/in-process";
import { makeApiServer } from "@berth/server/http/make-server";
import { openSqliteStore } from "@berth/server/store/sqlite/sqlite-store";
import packageJson from "../../package.json" with { type: "json" };
import type { ListenAddress } from "../commands/server-run.ts";
import { readPacks, readPolicy } from "../input/statements.ts";
import type { Context } from "../program.ts";
import { startDemoAgents, type DemoAgents } from "./demo-fleet.ts";
import { tellDemoStory } from "./demo-story.ts";
import { listen, untilStopped } from "./listening.ts";

/** What `berth demo` is told. */
export interface DemoOptions {
  readonly once?: true;
  readonly listen: ListenAddress;
  /** Where its own directory is made; the system's place for temporary files unless given. */
  readonly temporary?: string;
}

/** A whole Berth in this process: server, store, simulated hosts with their agents. */
export interface Demo {
  readonly url: string;
  readonly agents: DemoAgents;
  readonly control: Awaited<ReturnType<typeof startControlPlane>>["control"];
  close(): Promise<void>;
}

/** Runs the demo until it is stopped, or tells its story once. Nothing is left behind. */
export async function runDemo(options: DemoOptions, context: Context): Promise<void> {
  const startedMs = performance.now();
  const demo = await startDemo(options, (line) => context.output.writeError(`berth demo: ${line}\n`));
  try {
    if (options.once === true) {
      await tellDemoStory(demo, context);
      return;
    }
    const stopped = untilStopped();
    context.output.write(formatWelcome(demo, (performance.now() - startedMs) / 1000));
    await stopped;
  } finally {
    await demo.close();
  }
}

/** Starts the demo on an address of this machine; where its port is taken, on any that is free. */
export async function startDemo(
  { listen: address, temporary = tmpdir() }: DemoOptions,
  log: (line: string) => void,
): Promise<Demo> {
  const directory = mkdtempSync(join(temporary, "berth-demo-"));
  const endings: (() => Promise<void>)[] = [async () => rmSync(directory, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const end of endings.splice(0).toReversed()) await end();
  };
  try {
    const store = await openSqliteStore({ directory: join(directory, "data") });
    endings.push(async () => store.close());
    const plane = await startControlPlane({
      store,
      policy: readPolicy({}),
      packs: readPacks({}),
      log,
      onFatal: (error) => log(error.message),
    });
    endings.push(async () => plane.close());
    const { control } = plane;
    const version = packageJson.version;
    const server = makeApiServer({ view: control.replica.view, control, version, tokens: () => undefined });
    endings.push(async () => server.close());
    const agents = await startDemoAgents({ control, fetchLike: fetchInProcess(server), directory, log });
    endings.push(async () => agents.stop());
    return { url: `http://${await listenSomewhere(server, address)}`, agents, control, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function listenSomewhere(server: ReturnType<typeof makeApiServer>, address: ListenAddress): Promise<string> {
  try {
    return await listen(server, address);
  } catch (error) {
    if (!(error instanceof BerthError) || address.port === 0) throw error;
    return listen(server, { ...address, port: 0 });
  }
}

function formatWelcome({ url, agents, control }: Demo, seconds: number): string {
  const vms = agents.hosts.flatMap(
    ({ host }) => control.replica.view.findHost(host)?.host.snapshot.virtualMachines ?? [],
  );
  const flag = url.endsWith(":7411") ? "" : ` --server ${url}`;
  return `berth demo: ${url}, ready in ${seconds.toFixed(1)} s
  ${agents.hosts.length} hosts, each with an agent, ${vms.length} VMs; simulated but for host-a and host-b, which are pictures of real ones

Try in another terminal:
  ./berth where rack1-n1:5eed0000-0101-4000-8000-000000000001${flag}          where can this device go, and why not elsewhere?
  ./berth claim rack1-n1:5eed0000-0101-4000-8000-000000000001 --make${flag}   hold the best place, and have the device made there
  ./berth claim rack6-n1:db1 --make${flag}                                    all devices of a VM, on one host or not at all
  ./berth events --follow${flag}                                              what happens, as it happens
Also: berth hosts | vms | claims | problems | agents | audit; ${url}/docs explains the API.
Ctrl-C ends it and leaves nothing behind.
`;
}
