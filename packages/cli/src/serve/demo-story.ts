// SPDX-License-Identifier: Apache-2.0

import { DEMO_DEVICE } from "@berth/simulator/machine/examples";
import { EXIT } from "../exit-code.ts";
import { runCommand, type Context } from "../program.ts";
import { waitUntil } from "./demo-fleet.ts";
import type { Demo } from "./run-demo.ts";

const DEVICE = `${DEMO_DEVICE.host}:${DEMO_DEVICE.device}`;

/** Tells the story of the demo: commands as a person would type them, and what they answer. */
export async function tellDemoStory(demo: Demo, context: Context): Promise<void> {
  const { write } = context.output;
  const run = async (...args: readonly string[]): Promise<void> => {
    write(`$ berth ${args.join(" ")}\n`);
    const code = await runCommand([...args, "--server", demo.url], context.output, context.world);
    write(code === EXIT.yes ? "\n" : `[exit ${code}]\n\n`);
  };
  const say = (text: string): void => write(`# ${text}\n`);
  say("A fleet of simulated hosts, each with an agent that reports what it has.");
  await run("hosts");
  say("Four work queues in one device: where can they go, and why not elsewhere?");
  await run("where", DEVICE);
  say("Hold the best place, and have the device made there.");
  await run("claim", DEVICE, "--make");
  await allBound(demo);
  await run("claims");
  showDevices(demo, write);
  say("A VM with two devices: all of them on one host, or none.");
  await run("claim", "rack6-n1:db1", "--make");
  await allBound(demo);
  say("A VM of somebody else's is answered for, and never claimed for.");
  await run("claim", "rack6-n1:instance-0000002a");
  say("Give everything back: the room is free when the agents have proved that nothing is left.");
  for (const { document } of openClaims(demo)) await run("release", document.id);
  await waitUntil("all claims have ended", () => openClaims(demo).length === 0);
  await run("claims", "--all");
  write("Run berth demo without --once to try it yourself.\n");
}

function openClaims({ control }: Demo) {
  return control.replica.listAllClaims().filter(({ document }) => document.endedAtMs === undefined);
}

async function allBound(demo: Demo): Promise<void> {
  await waitUntil("the devices are made", () => openClaims(demo).every(({ document }) => document.state === "bound"));
}

/** What stands on the hosts now because of claims, as their own file systems show it. */
function showDevices(demo: Demo, write: (text: string) => void): void {
  for (const { document } of openClaims(demo)) {
    const tree = demo.agents.hosts.find(({ host }) => host === document.host)?.tree;
    for (const { identity } of document.devices) {
      if (identity.kind !== "mdev" || tree === undefined) continue;
      const path = `/sys/bus/mdev/devices/${identity.uuid}/aggregator`;
      const read = tree.read(path, 4096);
      write(`${document.host}$ cat ${path}\n${read.kind === "text" ? read.text : `(${read.kind})\n`}\n`);
    }
  }
}
