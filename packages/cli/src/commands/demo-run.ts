// SPDX-License-Identifier: Apache-2.0

import { Option, type Command } from "commander";
import { STRICT_POLICY } from "@berth/core/compatibility/policy";
import { fleetOf } from "@berth/core/inventory/fleet";
import { findCandidates } from "@berth/core/placement/find-candidates";
import { DEMO_DEVICE } from "@berth/simulator/machine/examples";
import { CAPTURED_HOSTS, readDemoHosts } from "../input/demo-fleet.ts";
import { readPacks } from "../input/statements.ts";
import type { Context } from "../program.ts";
import { formatJson } from "../render/json.ts";
import { whereDocument } from "./device-where.ts";
import { DEFAULT_LISTEN, parseListen, type ListenAddress } from "./server-run.ts";

/** The captured device whose story is told second. */
const CAPTURED_DEVICE = { host: "host-a", device: "aaaaaaaa-0000-4000-8000-000000000001" };

interface DemoCommandOptions {
  readonly once?: true;
  readonly json?: true;
  readonly listen: ListenAddress;
}

const HELP = `
Examples:
  berth demo                a whole Berth in one process until Ctrl-C: server, store, simulated hosts with their agents
  berth demo --once         tells its story, with commands and their answers, and ends
  berth demo --json         the hosts, and where two of their devices can go, as one JSON document
  berth host --demo rack3-n4

It listens on this machine alone and asks for no token; what it keeps is in a temporary directory that is removed. Two of its
hosts are pictures of real ones (fixtures/sysfs). Other commands find it by themselves, or with --server URL; with --demo
they see the same hosts without it.
`;

/** `berth demo`: everything, on a small fleet. */
export function addDemoCommand(program: Command, context: Context): void {
  program
    .command("demo")
    .description(
      "Run a whole Berth on a small fleet: server, store, simulated hosts with agents, claims that make devices",
    )
    .option("--once", "tell the story and end")
    .option("--json", "the fleet and two answers as one JSON document, without a server")
    .addOption(
      new Option("--listen <address:port>", "where to listen; any free port where that one is taken")
        .argParser(parseListen)
        .default(parseListen(DEFAULT_LISTEN), DEFAULT_LISTEN),
    )
    .addHelpText("after", HELP)
    .action(async (options: DemoCommandOptions) => {
      if (options.json === true) {
        context.output.write(`${formatDemoJson()}\n`);
        return;
      }
      const { runDemo } = await import("../serve/run-demo.ts");
      await runDemo(options, context);
    });
}

function formatDemoJson(): string {
  const fleet = fleetOf({ snapshots: readDemoHosts(), packs: readPacks({}), policy: STRICT_POLICY });
  const names = fleet.hosts.map(({ snapshot }) => snapshot.host);
  const answers = [
    findCandidates(fleet, { source: DEMO_DEVICE, strategy: "fragmentation" }),
    findCandidates(fleet, {
      source: CAPTURED_DEVICE,
      strategy: "fragmentation",
      exceptHosts: names.filter((name) => !CAPTURED_HOSTS.includes(name)),
    }),
  ];
  const hosts = fleet.hosts.map(({ snapshot, problems }) => ({
    host: snapshot.host,
    parents: snapshot.parents.map(({ id }) => id),
    devices: snapshot.devices.map(({ id }) => id),
    problems: problems.length,
  }));
  return formatJson("demo/v1", { hosts, answers: answers.map(whereDocument) });
}
