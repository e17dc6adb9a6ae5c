// SPDX-License-Identifier: Apache-2.0

import { Option, type Command } from "commander";
import type { Pool } from "@berth/core/capacity/pool";
import { roomFor } from "@berth/core/capacity/room";
import { fleetHostOf } from "@berth/core/inventory/fleet";
import { profileOfDevice, profileOfType } from "@berth/core/inventory/profile";
import { STRICT_POLICY } from "@berth/core/compatibility/policy";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { formatProfileDocument } from "@berth/core/protocol/profile-schema";
import { readDemoHost } from "../input/demo-fleet.ts";
import { readOneHost } from "../input/hosts.ts";
import { findReference } from "../input/reference.ts";
import { readPacks } from "../input/statements.ts";
import type { Context } from "../program.ts";
import { formatHost } from "../render/host-text.ts";
import { formatJson } from "../render/json.ts";

interface HostOptions {
  readonly root?: string;
  readonly name?: string;
  readonly demo?: string;
  readonly json?: true;
  readonly profile?: string;
}

const EXAMPLES = `
Examples:
  berth host                                     this host, straight from /sys
  berth host --root captures/host-a              a captured tree
  berth host --root captures/host-a.tgz --json   the same from a tarball, for programs
  berth host --demo rack3-n4                     a simulated host of berth demo
  berth host --root host-a.tgz --profile aaaaaaaa-0000-4000-8000-000000000001 > source.json

AVAILABLE is what the parents say, summed where several share one pool; FIT is how many more devices fit by the law of
the pool and the host's own word together; "0 to 3" means that it is not known more exactly. Problems are part of the answer: the command exits 0 with them.
`;

/** `berth host`: what a host has. */
export function addHostCommand(program: Command, context: Context): void {
  program
    .command("host")
    .description("Show what a host has: parents, pools, types, devices, functions, builds, problems")
    .option("--root <dir|capture.tgz>", "a captured tree instead of this host's own")
    .option("--name <name>", "what to call the host")
    .addOption(new Option("--demo <host>", "a host of berth demo instead").conflicts(["root", "name"]))
    .option("--profile <device|parent/type>", "write the migration profile of one device or type, for berth check")
    .option("--json", "one JSON document")
    .addHelpText("after", EXAMPLES)
    .action((options: HostOptions) => showHost(options, context));
}

function showHost(options: HostOptions, { output }: Context): void {
  const snapshot = options.demo === undefined ? readOneHost(options.root, options.name) : readDemoHost(options.demo);
  if (options.profile !== undefined) {
    output.write(`${JSON.stringify(profileDocument(snapshot, options.profile), undefined, 2)}\n`);
    return;
  }
  const host = fleetHostOf(snapshot, readPacks({}), STRICT_POLICY);
  if (options.json === true) {
    const document = { ...host.snapshot, pools: host.pools.map(poolDocument), problems: host.problems };
    output.write(`${formatJson("host/v1", document)}\n`);
  } else {
    output.write(`${formatHost(host)}\n`);
  }
}

/** A pool with how many more of each type fit; without what only claims would change. */
function poolDocument({ changed: _changed, seen: _seen, ...pool }: Pool): object {
  const room = pool.types.map(({ type }) => ({ type, ...roomFor({ ...pool, changed: false }, { type }) }));
  return { ...pool, room };
}

function profileDocument(snapshot: HostSnapshot, name: string): unknown {
  const isOwnParent = snapshot.parents.some(({ id }) => name.startsWith(`${id}/`));
  const isUnqualified = isOwnParent || (name.includes("/") && !name.startsWith(`${snapshot.host}:`));
  const qualified = isUnqualified ? `${snapshot.host}:${name}` : name;
  const reference = findReference(qualified, [snapshot]);
  const profile =
    reference.kind === "device"
      ? profileOfDevice(snapshot, reference.ref.device, STRICT_POLICY)
      : profileOfType(snapshot, reference.ref, STRICT_POLICY);
  if (profile === undefined) throw new Error(`The reference ${name} was found and has no profile`);
  return formatProfileDocument(profile);
}
