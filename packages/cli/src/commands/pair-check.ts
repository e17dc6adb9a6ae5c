// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import type { Command } from "commander";
import { NO_MEMORY, type Pair } from "@berth/core/compatibility/pair";
import { explainUsage } from "@berth/core/device/device-use";
import type { MigrationProfile } from "@berth/core/device/migration-profile";
import { fleetOf, type Fleet } from "@berth/core/inventory/fleet";
import { profileOfDevice, profileOfType } from "@berth/core/inventory/profile";
import { checkPair, type PairAnswer } from "@berth/core/placement/check-pair";
import { BerthError } from "@berth/core/protocol/berth-error";
import { formatProfileDocument, parseProfileDocument } from "@berth/core/protocol/profile-schema";
import type { Generation } from "@berth/core/protocol/api/answers";
import type { ConnectionOptions } from "../connect/connection.ts";
import { exitCodeOfCheck } from "../exit-code.ts";
import { readHosts, type HostOptions } from "../input/hosts.ts";
import { readJsonFile } from "../input/json-file.ts";
import { findDeviceReference, findReference, type Reference } from "../input/reference.ts";
import { findServerDevice, findServerEnd } from "../input/server-reference.ts";
import { readPacks, readPolicy, type StatementOptions } from "../input/statements.ts";
import type { Context } from "../program.ts";
import { formatJson } from "../render/json.ts";
import { formatVerdict } from "../render/verdict-text.ts";
import { roomOf, verdictOf } from "../render/wire.ts";
import { addHostOption, addServerOptions, addStatementOptions, isOffline, openLink } from "./options.ts";
import { policyDocument } from "./place-search.ts";

interface CheckOptions extends StatementOptions, HostOptions, ConnectionOptions {
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  berth check rack1-n1:UUID rack1-n2:0000:6a:01.0/dsa-1dwq           on the server (docs/cli.md says which)
  berth check a:aaaaaaaa-0000-4000-8000-000000000001 b:0000:00:11.0/nvidia-231 --host a=a.tgz --host b=b.tgz
  berth check 5eed0000-0101-4000-8000-000000000001 rack1-n2:0000:6a:01.0/dsa-1dwq --demo
  berth check UUID host-b:UUID --host host-a=/captures/a --host host-b=/captures/b
  berth check source.json destination.json
  berth check source.json destination.json --policy policy.json --json

SOURCE is a device, host:uuid or host:pci-address. DESTINATION is a type on a parent, host:parent/type, or an
existing device. Two files are two profiles (docs/schemas/profile.json; berth host --profile writes them).
The exit code joins both verdicts: 0 both yes and room, 3 one is no, 4 one is undetermined, 5 yes but no room now.
`;

/** `berth check`: one verdict about one pair. */
export function addCheckCommand(program: Command, context: Context): void {
  const command = program
    .command("check")
    .description("May this device move there? Both verdicts with every reason and where each fact was read")
    .argument("<source>", "host:uuid, host:pci-address, or a profile file")
    .argument("<destination>", "host:parent/type, host:uuid, or a profile file");
  addServerOptions(addStatementOptions(addHostOption(command)))
    .option("--json", "one JSON document")
    .addHelpText("after", EXAMPLES)
    .action(async (source: string, destination: string, options: CheckOptions) => {
      const checked = await checkEnds({ source, destination, options }, context);
      context.output.write(`${options.json === true ? formatCheckJson(checked) : formatCheck(checked)}\n`);
      context.finish(exitCodeOfCheck(checked));
    });
}

/** Hosts that are given are read here, two files need nobody; everything else is asked of the server. */
async function checkEnds(asked: Asked, context: Context): Promise<CheckedPair> {
  if (isOffline(asked.options)) return checkHosts(asked);
  const { source, destination, options } = asked;
  if (options.server === undefined && isProfileFile(source) && isProfileFile(destination)) return checkFiles(asked);
  return checkServer(asked, context);
}

/** A pair with its answer, and which state of a server's inventory it rests on. */
type CheckedPair = PairAnswer & { readonly generation?: Generation };

interface Asked {
  readonly source: string;
  readonly destination: string;
  readonly options: CheckOptions;
}

function isProfileFile(text: string): boolean {
  return text.endsWith(".json") || existsSync(text);
}

async function checkServer({ source, destination, options }: Asked, context: Context): Promise<CheckedPair> {
  const link = openLink(options, context);
  const policy = policyDocument(options);
  const [from, to] = await Promise.all([
    isProfileFile(source) ? readProfile(source) : findServerDevice(source, link),
    isProfileFile(destination) ? readProfile(destination) : findServerEnd(destination, link).then(({ ref }) => ref),
  ]);
  const answer = await link.inventory.checkPair({
    source: from,
    destination: to,
    ...(policy === undefined ? {} : { policy }),
  });
  return {
    generation: answer.generation,
    source: parseProfileDocument(answer.source, "the server's answer"),
    destination: parseProfileDocument(answer.destination, "the server's answer"),
    verdict: verdictOf(answer.verdict),
    platform: verdictOf(answer.platform),
    room: answer.room === null ? undefined : roomOf(answer.room),
    roomText: answer.roomText,
  };
}

function readProfile(path: string): { readonly profile: object } {
  const document = readJsonFile(path);
  parseProfileDocument(document, path);
  return { profile: document as object };
}

function checkFiles({ source, destination, options }: Asked): PairAnswer {
  const pair: Pair = {
    source: parseProfileDocument(readJsonFile(source), source),
    destination: parseProfileDocument(readJsonFile(destination), destination),
    policy: readPolicy(options),
    packs: readPacks(options),
    memory: NO_MEMORY,
  };
  return checkPair(pair);
}

function checkHosts({ source, destination, options }: Asked): PairAnswer {
  const fleet = fleetOf({ snapshots: readHosts(options), packs: readPacks(options), policy: readPolicy(options) });
  const snapshots = fleet.hosts.map((host) => host.snapshot);
  const from = findDeviceReference(source, snapshots);
  const to = findReference(destination, snapshots);
  if (to.kind === "device" && to.ref.host === from.host && to.ref.device === from.device) {
    throw new BerthError("invalid_reference", "Source and destination are one and the same device", {
      place: destination,
      expected: "a type on a parent, or another device",
    });
  }
  const pair: Pair = {
    source: profileAt(fleet, { kind: "device", ref: from }),
    destination: profileAt(fleet, to),
    policy: fleet.policy,
    packs: fleet.packs,
    memory: NO_MEMORY,
  };
  const host = fleet.hosts.find(({ snapshot }) => snapshot.host === to.ref.host);
  const pools = host?.pools ?? [];
  if (to.kind === "type") return checkPair(pair, { pools, ...to.ref });
  const usage = host === undefined ? {} : { usage: explainUsage(host.snapshot, to.ref.device) };
  return checkPair(pair, { pools, ...to.ref, ...usage });
}

function profileAt(fleet: Fleet, reference: Reference): MigrationProfile {
  const host = fleet.hosts.find(({ snapshot }) => snapshot.host === reference.ref.host);
  const profile =
    host === undefined
      ? undefined
      : reference.kind === "device"
        ? profileOfDevice(host.snapshot, reference.ref.device, fleet.policy)
        : profileOfType(host.snapshot, reference.ref, fleet.policy);
  if (profile === undefined) throw new Error(`The reference to ${JSON.stringify(reference.ref)} has no profile`);
  return profile;
}

function formatCheck(checked: PairAnswer): string {
  const { source, destination } = checked;
  return [
    `${nameOf(source)}  ->  ${nameOf(destination)}`,
    formatVerdict("Device pair", checked.verdict),
    formatVerdict("Platform", checked.platform),
    `Room: ${checked.roomText}.`,
  ].join("\n\n");
}

function nameOf({ subject, type }: MigrationProfile): string {
  if (subject.kind === "type") return `${subject.host}:${subject.parent}/${subject.id}`;
  return `${subject.host}:${subject.id}${type.kind === "known" ? ` (${type.value})` : ""}`;
}

function formatCheckJson(checked: CheckedPair): string {
  const { source, destination, roomText, ...rest } = checked;
  return formatJson("check/v1", {
    source: formatProfileDocument(source),
    destination: formatProfileDocument(destination),
    ...rest,
    room: checked.room ?? null,
    roomText,
    exitCode: exitCodeOfCheck(checked),
  });
}
