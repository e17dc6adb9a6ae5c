// SPDX-License-Identifier: Apache-2.0

import type { Command } from "commander";
import { STRICT_POLICY } from "@berth/core/compatibility/policy";
import { fleetOf, type Fleet } from "@berth/core/inventory/fleet";
import type { PlacementAnswer } from "@berth/core/placement/answer";
import { findCandidates } from "@berth/core/placement/find-candidates";
import { DEMO_DEVICE } from "@berth/simulator/machine/examples";
import { readDemoHosts } from "../input/demo-fleet.ts";
import { readPacks } from "../input/statements.ts";
import type { Context } from "../program.ts";
import { formatJson } from "../render/json.ts";
import { formatTable, indent } from "../render/table.ts";
import { formatWhere } from "../render/where-text.ts";
import { cell, heading } from "../render/words.ts";
import { whereDocument } from "./device-where.ts";

/** The captured device whose story is told second. */
const CAPTURED_DEVICE = { host: "host-a", device: "aaaaaaaa-0000-4000-8000-000000000001" };

const HELP = `
Examples:
  berth demo                the fleet, and where two of its devices can go
  berth demo --json         the same as one JSON document
  berth host --demo rack3-n4
  berth where rack1-n1:5eed0000-0101-4000-8000-000000000001 --demo --all

Nothing is installed, written or sent: the simulated hosts live in memory, the captured ones are files in fixtures/sysfs.
Other commands see the same hosts with --demo: berth where UUID --demo, berth check UUID HOST:PARENT/TYPE --demo.
`;

/** `berth demo`: the main job on a small fleet. */
export function addDemoCommand(program: Command, context: Context): void {
  program
    .command("demo")
    .description("Show the main job on a small fleet: simulated hosts in memory beside two captured real ones")
    .option("--json", "one JSON document")
    .addHelpText("after", HELP)
    .action((options: { readonly json?: true }) => {
      const demo = runDemo();
      context.output.write(`${options.json === true ? formatDemoJson(demo) : formatDemo(demo)}\n`);
    });
}

interface Demo {
  readonly fleet: Fleet;
  readonly simulated: PlacementAnswer;
  readonly captured: PlacementAnswer;
}

function runDemo(): Demo {
  const fleet = fleetOf({ snapshots: readDemoHosts(), packs: readPacks({}), policy: STRICT_POLICY });
  const simulated = findCandidates(fleet, { source: DEMO_DEVICE, strategy: "fragmentation" });
  const captured = findCandidates(fleet, {
    source: CAPTURED_DEVICE,
    strategy: "fragmentation",
    exceptHosts: fleet.hosts.map(({ snapshot }) => snapshot.host).filter((host) => !host.startsWith("host-")),
  });
  return { fleet, simulated, captured };
}

function formatDemoJson({ fleet, simulated, captured }: Demo): string {
  const hosts = fleet.hosts.map(({ snapshot, problems }) => ({
    host: snapshot.host,
    parents: snapshot.parents.map(({ id }) => id),
    devices: snapshot.devices.map(({ id }) => id),
    problems: problems.length,
  }));
  return formatJson("demo/v1", { hosts, answers: [simulated, captured].map(whereDocument) });
}

function formatDemo({ fleet, simulated, captured }: Demo): string {
  return [
    formatFleet(fleet),
    formatWhere(simulated, { all: false }),
    rule("the same question on two real hosts, captured with Linux 6.12 and no interface attributes"),
    formatWhere(captured, { all: false }),
    formatNext(),
  ].join("\n\n");
}

function formatFleet(fleet: Fleet): string {
  const rows = fleet.hosts.map(({ snapshot, problems }) => [
    snapshot.host,
    cell(snapshot.kernel.release),
    [...new Set(snapshot.parents.flatMap((parent) => parent.types.map((type) => type.driverPrefix)))].join(" "),
    String(snapshot.parents.length),
    String(snapshot.devices.length),
    String(problems.length),
  ]);
  const table = formatTable(["HOST", "KERNEL", "DRIVERS", "PARENTS", "DEVICES", "PROBLEMS"], rows);
  return `${heading(`A fleet of ${fleet.hosts.length} hosts`)}\n${indent(table, 2)}`;
}

function rule(text: string): string {
  return `--- ${text} ---`;
}

function formatNext(): string {
  const { host, device } = DEMO_DEVICE;
  return [
    heading("What to type next"),
    `  ./berth where ${host}:${device} --demo --all          every refused place with its reasons`,
    `  ./berth where ${CAPTURED_DEVICE.device} --demo --assume-platform`,
    `  ./berth check ${CAPTURED_DEVICE.device} host-b:0000:00:11.0/nvidia-231 --demo`,
    "  ./berth host                                        what this machine has",
    "  ./berth host --root fixtures/sysfs/linux-6.12-host-b.tgz",
  ].join("\n");
}
