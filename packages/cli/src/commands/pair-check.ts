// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import type { Command } from "commander";
import type { Pool, Room } from "@berth/core/capacity/pool";
import { formatRoom } from "@berth/core/capacity/room";
import { roomToGrow } from "@berth/core/capacity/grow";
import { checkMigration } from "@berth/core/compatibility/check-migration";
import { checkPlatform } from "@berth/core/compatibility/check-platform";
import { NO_MEMORY, type Pair } from "@berth/core/compatibility/pair";
import type { Verdict } from "@berth/core/compatibility/verdict";
import type { MigrationProfile } from "@berth/core/device/migration-profile";
import { fleetOf, type Fleet } from "@berth/core/inventory/fleet";
import { profileOfDevice, profileOfType } from "@berth/core/inventory/profile";
import { explainNoRoom } from "@berth/core/placement/explain-room";
import { roomForSource, unitsOf } from "@berth/core/placement/room-for-source";
import { BerthError } from "@berth/core/protocol/berth-error";
import { formatProfileDocument, parseProfileDocument } from "@berth/core/protocol/profile-schema";
import { exitCodeOfCheck } from "../exit-code.ts";
import { readHosts, type HostOptions } from "../input/hosts.ts";
import { readJsonFile } from "../input/json-file.ts";
import { findDeviceReference, findReference, type Reference } from "../input/reference.ts";
import { readPacks, readPolicy, type StatementOptions } from "../input/statements.ts";
import type { Context } from "../program.ts";
import { formatJson } from "../render/json.ts";
import { formatVerdict } from "../render/verdict-text.ts";
import { addHostOption, addStatementOptions } from "./options.ts";

interface CheckOptions extends StatementOptions, HostOptions {
  readonly json?: true;
}

/** One question with everything that was found. */
interface Checked {
  readonly source: MigrationProfile;
  readonly destination: MigrationProfile;
  readonly verdict: Verdict;
  readonly platform: Verdict;
  /** Undefined where nobody can say: two profile files have no pools. */
  readonly room: Room | undefined;
  readonly roomText: string;
}

const EXAMPLES = `
Examples:
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
  addStatementOptions(addHostOption(command))
    .option("--json", "one JSON document")
    .addHelpText("after", EXAMPLES)
    .action((source: string, destination: string, options: CheckOptions) => {
      const checked =
        options.host.length === 0 && options.demo !== true
          ? checkFiles({ source, destination, options })
          : checkHosts({ source, destination, options });
      context.output.write(`${options.json === true ? formatCheckJson(checked) : formatCheck(checked)}\n`);
      context.finish(exitCodeOfCheck(checked));
    });
}

interface Asked {
  readonly source: string;
  readonly destination: string;
  readonly options: CheckOptions;
}

function checkFiles({ source, destination, options }: Asked): Checked {
  for (const path of [source, destination]) {
    if (!existsSync(path) && !path.endsWith(".json")) {
      throw new BerthError("unknown_host", `${JSON.stringify(path)} is no file, and no --host was given`, {
        place: path,
        expected: "two profile files, or --host NAME=ROOT for each host that is named",
      });
    }
  }
  const pair: Pair = {
    source: parseProfileDocument(readJsonFile(source), source),
    destination: parseProfileDocument(readJsonFile(destination), destination),
    policy: readPolicy(options),
    packs: readPacks(options),
    memory: NO_MEMORY,
  };
  return { ...judge(pair), room: undefined, roomText: "not asked: profile files say nothing about room" };
}

function checkHosts({ source, destination, options }: Asked): Checked {
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
  return { ...judge(pair), ...findRoom(fleet, to, pair.source) };
}

function judge(pair: Pair): Omit<Checked, "room" | "roomText"> {
  return {
    source: pair.source,
    destination: pair.destination,
    verdict: checkMigration(pair),
    platform: checkPlatform({ pairs: [pair] }),
  };
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

/** Room is a question of its own: "not now" is not "never". */
function findRoom(fleet: Fleet, to: Reference, source: MigrationProfile): Pick<Checked, "room" | "roomText"> {
  const pools = fleet.hosts.find(({ snapshot }) => snapshot.host === to.ref.host)?.pools ?? [];
  const count = unitsOf(source);
  if (to.kind === "type") {
    const pool = pools.find((candidate) => candidate.parents.includes(to.ref.parent));
    if (pool === undefined) return { room: { atLeast: 0, atMost: Infinity }, roomText: "not known: no pool was found" };
    const room = roomForSource(source, { pool, parent: to.ref.parent, type: to.ref.type });
    const units = count === 1 ? "" : ` x ${count}`;
    const fit =
      room.atMost < 1 ? explainNoRoom(pool, to.ref.type) : `${formatRoom(room)} more ${to.ref.type}${units} fit`;
    return { room, roomText: `${to.ref.host}:${to.ref.parent}: ${fit}; ${lawText(pool)}` };
  }
  return roomOfDevice(pools, to.ref.device, count);
}

/** An existing device has its room already; to grow to the source's units it may need more. */
function roomOfDevice(pools: readonly Pool[], id: string, count: number): Pick<Checked, "room" | "roomText"> {
  const unused = "whether a VM uses it is not read here";
  const pool = pools.find((candidate) => candidate.occupants.some((occupant) => occupant.id === id));
  const units = pool?.occupants.find((occupant) => occupant.id === id)?.count ?? 1;
  if (pool === undefined || count <= units) return { room: undefined, roomText: `the device exists; ${unused}` };
  const grow = roomToGrow(pool, { id, to: count });
  if (grow.kind === "fits") {
    return { room: undefined, roomText: `the device exists with ${units} units and can grow to ${count}; ${unused}` };
  }
  if (grow.kind === "short")
    return {
      room: { atLeast: 0, atMost: 0 },
      roomText: `it cannot grow from ${units} to ${count} units now: ${grow.why}`,
    };
  return {
    room: { atLeast: 0, atMost: 1 },
    roomText: `whether it can grow from ${units} to ${count} units is not known: ${grow.why}`,
  };
}

function lawText(pool: Pool): string {
  if (pool.law.kind === "unknown") return `the law of the pool is not known: ${pool.law.why}`;
  const origin = pool.origin.kind === "declared" ? `declared by pack ${pool.origin.pack}` : pool.origin.kind;
  return `law ${pool.law.kind}, ${origin}`;
}

function formatCheck(checked: Checked): string {
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

function formatCheckJson(checked: Checked): string {
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
