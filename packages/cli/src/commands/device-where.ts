// SPDX-License-Identifier: Apache-2.0

import { Option, type Command } from "commander";
import { fleetOf, type Fleet } from "@berth/core/inventory/fleet";
import type { PlacementAnswer, Refused } from "@berth/core/placement/answer";
import { findCandidates } from "@berth/core/placement/find-candidates";
import { STRATEGIES, type Strategy } from "@berth/core/placement/request";
import { BerthError } from "@berth/core/protocol/berth-error";
import { formatProfileDocument } from "@berth/core/protocol/profile-schema";
import { exitCodeOfWhere } from "../exit-code.ts";
import { readHosts, type HostOptions } from "../input/hosts.ts";
import { findDeviceReference } from "../input/reference.ts";
import { readPacks, readPolicy, type StatementOptions } from "../input/statements.ts";
import type { Context } from "../program.ts";
import { formatJson } from "../render/json.ts";
import { formatWhere } from "../render/where-text.ts";
import { addHostOption, addStatementOptions, collect } from "./options.ts";

interface WhereOptions extends StatementOptions, HostOptions {
  readonly rank: Strategy;
  readonly numa?: number;
  readonly except: readonly string[];
  readonly all?: true;
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  berth where aaaaaaaa-0000-4000-8000-000000000001 --host a=captures/a.tgz --host b=captures/b.tgz
  berth where a:UUID --host a=/ --host b=b.tgz --host c=c.tgz --rank spread --all
  berth where UUID --host a=a.tgz --host b=b.tgz --assume-platform --json

Ranking: fragmentation takes least from other types, pack fills the fullest pool first, spread the emptiest, numa
prefers one NUMA node. Surer verdicts always stand first; ties end at the host's name.
Exit codes: 0 a berth whose platform works, 4 only undetermined ones, 5 compatible but no room now, 3 none.
`;

/** `berth where`: every berth for a device, and why not elsewhere. */
export function addWhereCommand(program: Command, context: Context): void {
  const command = program
    .command("where")
    .description("Every berth for a device, best first; why not elsewhere; the nearest miss and what would mend it")
    .argument("<device>", "uuid or pci-address, with host: in front where several hosts have it");
  addStatementOptions(addHostOption(command))
    .addOption(new Option("--rank <strategy>", "how to rank").choices(STRATEGIES).default("fragmentation"))
    .addOption(new Option("--numa <node>", "preferred NUMA node for --rank numa").argParser(parseNode))
    .addOption(new Option("--except <host>", "leave a host out (repeatable)").argParser(collect).default([], "none"))
    .option("--all", "every refused place, not only the counts")
    .option("--json", "one JSON document")
    .addHelpText("after", EXAMPLES)
    .action((device: string, options: WhereOptions) => findWhere(device, options, context));
}

function parseNode(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new BerthError("usage_bad_value", `Cannot read --numa ${JSON.stringify(text)}`, {
    place: "--numa",
    expected: "a NUMA node number such as 0",
  });
}

function findWhere(device: string, options: WhereOptions, context: Context): void {
  if (options.host.length === 0 && options.demo !== true) {
    throw new BerthError("bad_host_argument", "No host was given to search", {
      place: "--host",
      expected: "--host NAME=ROOT for the device's own host and for each host to search",
    });
  }
  const fleet = fleetOf({ snapshots: readHosts(options), packs: readPacks(options), policy: readPolicy(options) });
  const source = findDeviceReference(
    device,
    fleet.hosts.map(({ snapshot }) => snapshot),
  );
  checkExcepted(options.except, fleet);
  const answer = findCandidates(fleet, {
    source,
    strategy: options.rank,
    exceptHosts: options.except,
    ...(options.numa === undefined ? {} : { numaNode: options.numa }),
  });
  const text =
    options.json === true
      ? formatJson("where/v1", whereDocument(answer))
      : formatWhere(answer, { all: options.all === true });
  context.output.write(`${text}\n`);
  context.finish(exitCodeOfWhere(answer));
}

/** A host that is left out by a wrong name would not be left out. */
function checkExcepted(names: readonly string[], fleet: Fleet): void {
  const hosts = fleet.hosts.map(({ snapshot }) => snapshot.host);
  const wrong = names.find((name) => !hosts.includes(name));
  if (wrong === undefined) return;
  throw new BerthError("unknown_host", `No host ${JSON.stringify(wrong)} was given that could be left out`, {
    place: "--except",
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
