// SPDX-License-Identifier: Apache-2.0

import { Option, type Command } from "commander";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { fleetOf } from "@berth/core/inventory/fleet";
import type { PlacementAnswer, Refused } from "@berth/core/placement/answer";
import { findCandidates } from "@berth/core/placement/find-candidates";
import type { VmPlacementAnswer } from "@berth/core/placement/vm-answer";
import { STRATEGIES } from "@berth/core/placement/request";
import { BerthError } from "@berth/core/protocol/berth-error";
import { formatProfileDocument } from "@berth/core/protocol/profile-schema";
import { exitCodeOfWhere } from "../exit-code.ts";
import { readHosts, type HostOptions } from "../input/hosts.ts";
import { findDeviceReference } from "../input/reference.ts";
import { findVm, findVmReference, isDeviceName, type VmReference } from "../input/vm-reference.ts";
import { readPacks, readPolicy } from "../input/statements.ts";
import type { Context } from "../program.ts";
import { formatJson } from "../render/json.ts";
import { formatVmWhere } from "../render/vm-where-text.ts";
import { formatWhere } from "../render/where-text.ts";
import { addHostOption, addServerOptions, addStatementOptions, collect, isOffline, parseCount } from "./options.ts";
import { searchServer, type SearchOptions } from "./place-search.ts";
import { exitCodeOfVmWhere, findVmWhere, vmWhereDocument } from "./vm-where.ts";

type WhereOptions = SearchOptions & HostOptions;

const EXAMPLES = `
Examples:
  berth where rack6-n1:db1                       all devices of a VM, on one host or not at all
  berth where UUID --only-host b --only-host c --limit 3
  berth where aaaaaaaa-0000-4000-8000-000000000001 --host a=captures/a.tgz --host b=captures/b.tgz
  berth where a:UUID --host a=/ --host b=b.tgz --host c=c.tgz --rank spread --all
  berth where UUID --host a=a.tgz --host b=b.tgz --assume-platform --json
  berth where rack6-n1:db1 --demo

With --host or --demo the hosts are read here; otherwise the server is asked (docs/cli.md says which).
Ranking: fragmentation takes least from other types, pack fills the fullest pool first, spread the emptiest, numa
prefers one NUMA node. Surer verdicts always stand first; ties end at the host's name.
A name or UUID of a VM asks for all of its devices at once; a device of that very id is meant first, --vm asks for the VM.
Exit codes: 0 a berth whose platform works, 4 only undetermined ones, 5 compatible but no room now, 3 none.
`;

/** `berth where`: every berth for a device or for a whole VM, and why not elsewhere. */
export function addWhereCommand(program: Command, context: Context): void {
  const command = program
    .command("where")
    .description(
      "Every berth for a device or VM, best first; why not elsewhere; the nearest miss and what would mend it",
    )
    .argument("[device|vm]", "uuid or pci-address, or a VM's name or uuid, with host: in front where several have it");
  addServerOptions(addStatementOptions(addHostOption(command)))
    .addOption(new Option("--rank, --strategy <strategy>", "how to rank").choices(STRATEGIES).default("fragmentation"))
    .addOption(new Option("--numa <node>", "preferred NUMA node for --rank numa").argParser(parseNode))
    .addOption(new Option("--only-host <host>", "only this host (repeatable)").argParser(collect).default([], "all"))
    .addOption(
      new Option("--except, --except-host <host>", "leave a host out (repeatable)")
        .argParser(collect)
        .default([], "none"),
    )
    .addOption(
      new Option("--rack <rack>", "only hosts of this rack, on a server (repeatable)")
        .argParser(collect)
        .default([], "all")
        .conflicts(["host", "demo"]),
    )
    .addOption(
      new Option("--label <name=value>", "only hosts with this label, on a server (repeatable)")
        .argParser(collect)
        .default([], "none")
        .conflicts(["host", "demo"]),
    )
    .addOption(
      new Option("--limit <count>", "most berths that a server names; 10 unless said")
        .argParser(parseCount("--limit", 100))
        .conflicts(["host", "demo"]),
    )
    .option("--vm <vm>", "a VM, where its name or uuid would name a device too")
    .option("--all", "every refused place, not only the counts")
    .option("--json", "one JSON document")
    .addHelpText("after", EXAMPLES)
    .action((named: string | undefined, options: WhereOptions) => findWhere(named, options, context));
}

function parseNode(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new BerthError("usage_bad_value", `Cannot read --numa ${JSON.stringify(text)}`, {
    place: "--numa",
    expected: "a NUMA node number such as 0",
  });
}

async function findWhere(named: string | undefined, options: WhereOptions, context: Context): Promise<void> {
  const text = checkNamed(named, options);
  if (isOffline(options)) searchHosts(text, options, context);
  else await searchServer(text, options, context);
}

function searchHosts(text: string, options: WhereOptions, context: Context): void {
  const fleet = fleetOf({ snapshots: readHosts(options), packs: readPacks(options), policy: readPolicy(options) });
  const snapshots = fleet.hosts.map(({ snapshot }) => snapshot);
  const vm = findVmNamed(text, options, snapshots);
  const source = vm === undefined ? findDeviceReference(text, snapshots) : undefined;
  const search = {
    strategy: options.strategy,
    exceptHosts: findExcepted(options, snapshots),
    ...(options.numa === undefined ? {} : { numaNode: options.numa }),
  };
  if (source !== undefined) writeDevice(findCandidates(fleet, { source, ...search }), options, context);
  else if (vm !== undefined) writeVm(findVmWhere(fleet, vm, search), options, context);
}

/** The one name that was given, as an argument or with --vm. */
function checkNamed(named: string | undefined, { vm }: WhereOptions): string {
  if (named !== undefined && vm !== undefined) {
    throw new BerthError("usage_conflict", "Both a device and --vm were given", {
      place: "--vm",
      expected: "one of them",
    });
  }
  const text = named ?? vm;
  if (text !== undefined) return text;
  throw new BerthError("usage_missing_argument", "Missing required argument 'device|vm'", {
    expected: "what berth --help and berth COMMAND --help show",
  });
}

function findVmNamed(text: string, { vm }: WhereOptions, snapshots: readonly HostSnapshot[]): VmReference | undefined {
  if (vm !== undefined) return findVm(text, snapshots);
  return isDeviceName(text, snapshots) ? undefined : findVmReference(text, snapshots);
}

function writeDevice(answer: PlacementAnswer, options: WhereOptions, { output, finish }: Context): void {
  const view = { all: options.all === true };
  const text = options.json === true ? formatJson("where/v1", whereDocument(answer)) : formatWhere(answer, view);
  output.write(`${text}\n`);
  finish(exitCodeOfWhere(answer));
}

function writeVm(answer: VmPlacementAnswer, options: WhereOptions, { output, finish }: Context): void {
  const view = { all: options.all === true };
  const text = options.json === true ? formatJson("where-vm/v1", vmWhereDocument(answer)) : formatVmWhere(answer, view);
  output.write(`${text}\n`);
  finish(exitCodeOfVmWhere(answer));
}

/** Hosts that are left out: those that are named, and those that are not where only some are wanted. */
function findExcepted(options: WhereOptions, snapshots: readonly HostSnapshot[]): readonly string[] {
  const hosts = snapshots.map(({ host }) => host);
  checkKnown("--except", options.exceptHost, hosts);
  checkKnown("--only-host", options.onlyHost, hosts);
  const others = options.onlyHost.length === 0 ? [] : hosts.filter((host) => !options.onlyHost.includes(host));
  return [...options.exceptHost, ...others.filter((host) => !options.exceptHost.includes(host))];
}

/** A host that is left out by a wrong name would not be left out. */
function checkKnown(place: string, names: readonly string[], hosts: readonly string[]): void {
  const wrong = names.find((name) => !hosts.includes(name));
  if (wrong === undefined) return;
  const to = place === "--except" ? "left out" : "searched alone";
  throw new BerthError("unknown_host", `No host ${JSON.stringify(wrong)} was given that could be ${to}`, {
    place,
    expected: `one of ${hosts.join(", ")}`,
  });
}

/** The answer with places as names: a program asks `berth host --json` for the rest of a place. */
export function whereDocument(answer: PlacementAnswer): object {
  const { source, candidates, elsewhere, refused, nearMisses, ...rest } = answer;
  return {
    source: formatProfileDocument(source),
    candidates: candidates.map(({ place, ...candidate }) => ({ ...placeName(place), ...candidate })),
    elsewhere: elsewhere.map(formatRefusedJson),
    refused: refused.map(formatRefusedJson),
    nearMisses: nearMisses.map(({ refused: miss, ...near }) => ({ ...placeName(miss.place), why: miss.why, ...near })),
    ...rest,
    exitCode: exitCodeOfWhere(answer),
  };
}

function formatRefusedJson({ place, ...refused }: Refused): object {
  return { ...placeName(place), ...refused };
}

function placeName(place: Refused["place"]): object {
  return { host: place.host, parent: place.parent, type: place.type };
}
