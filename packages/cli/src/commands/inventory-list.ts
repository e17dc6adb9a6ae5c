// SPDX-License-Identifier: Apache-2.0

import type { Command } from "commander";
import { formatRoom } from "@berth/core/capacity/room";
import type {
  CapacityItem,
  ClassItem,
  DeviceItem,
  HostItem,
  Page,
  ProblemItem,
} from "@berth/core/protocol/api/answers";
import { readAllPages, type ApiClient, type PageQuery } from "@berth/core/protocol/api/client";
import type { Context } from "../program.ts";
import { formatJson } from "../render/json.ts";
import { formatTable } from "../render/table.ts";
import { roomOf } from "../render/wire.ts";
import { cell } from "../render/words.ts";
import type { ConnectionOptions } from "../connect/connection.ts";
import type { HostOptions } from "../input/hosts.ts";
import { addHostOption, addServerOptions, isOffline, openLink } from "./options.ts";

/** One listing: which list of the API, and how its entries are shown. */
interface Listing<T> {
  readonly name: string;
  /** One and several. */
  readonly nouns: readonly [string, string];
  readonly description: string;
  readonly read: (client: ApiClient, query: PageQuery) => Promise<Page<T>>;
  readonly head: readonly string[];
  readonly row: (item: T) => readonly string[];
  /** What the columns mean, where that is not plain. */
  readonly note?: string;
}

const HOSTS: Listing<HostItem> = {
  name: "hosts",
  nouns: ["host", "hosts"],
  description: "All hosts with how much each shows",
  read: (client, query) => client.listHosts(query),
  head: ["HOST", "KERNEL", "OS", "PARENTS", "DEVICES", "PLACES", "PROBLEMS", "CORDONED"],
  row: (item) => [
    item.host,
    item.kernel ?? "-",
    item.os ?? "-",
    String(item.parents),
    String(item.devices),
    String(item.places),
    String(item.problems),
    item.cordoned ? "yes" : "",
  ],
  note: "PLACES are types on parents: what a device could ask for.",
};

const DEVICES: Listing<DeviceItem> = {
  name: "devices",
  nouns: ["device", "devices"],
  description: "All devices that a VM can own",
  read: (client, query) => client.listDevices(query),
  head: ["HOST", "DEVICE", "KIND", "TYPE", "PARENT", "DRIVER"],
  row: (item) => [item.host, item.id, item.kind, cell(item.type), item.parent, cell(item.driver)],
};

const CLASSES: Listing<ClassItem> = {
  name: "classes",
  nouns: ["class", "classes"],
  description: "Classes of places that every verdict treats alike",
  read: (client, query) => client.listClasses(query),
  head: ["CLASS", "TYPE", "DEVICE API", "VERSION", "NUMA", "PLACES"],
  row: (item) => [
    String(item.class),
    item.type ?? "-",
    item.deviceApi ?? "-",
    item.softwareVersion ?? "-",
    item.numaNode === null ? "-" : String(item.numaNode),
    String(item.places),
  ],
};

const CAPACITY: Listing<CapacityItem> = {
  name: "capacity",
  nouns: ["type", "types"],
  description: "How much of each type there is and how much more fits",
  read: (client, query) => client.listCapacity(query),
  head: ["TYPE", "HOSTS", "POOLS", "DEVICES", "FIT", "FULL", "UNKNOWN", "CORDONED"],
  row: (item) => [
    item.type,
    String(item.hosts),
    String(item.pools),
    String(item.devices),
    formatRoom(roomOf(item.room)),
    String(item.full),
    String(item.unknown),
    formatRoom(roomOf(item.cordoned)),
  ],
  note: "FIT is how many more of the type fit by itself: types that share a pool share its room, so rows do not add up. FULL and UNKNOWN count pools; CORDONED is the part of FIT on cordoned hosts.",
};

const PROBLEMS: Listing<ProblemItem> = {
  name: "problems",
  nouns: ["problem", "problems"],
  description: "What could not be read or cannot be true on any host",
  read: (client, query) => client.listProblems(query),
  head: ["HOST", "CODE", "PATH", "PROBLEM"],
  row: (item) => [item.host, item.code, item.path, item.message],
};

interface ListOptions extends HostOptions, ConnectionOptions {
  readonly json?: true;
}

/** `berth hosts`, `devices`, `classes`, `capacity` and `problems`. */
export function addInventoryCommands(program: Command, context: Context): void {
  addListing(program, HOSTS, context);
  addListing(program, DEVICES, context);
  addListing(program, CLASSES, context);
  addListing(program, CAPACITY, context);
  addListing(program, PROBLEMS, context);
}

function addListing<T>(program: Command, listing: Listing<T>, context: Context): void {
  addServerOptions(addHostOption(program.command(listing.name).description(listing.description)))
    .option("--json", "one JSON document")
    .addHelpText("after", helpOf(listing))
    .action((options: ListOptions) => showListing(listing, options, context));
}

function helpOf({ name, note }: Pick<Listing<never>, "name" | "note">): string {
  const lines = [
    "",
    "Examples:",
    `  berth ${name}                                      of the server of this machine`,
    `  berth ${name} --server https://berth.example:7411 --token-file token --json`,
    `  berth ${name} --host a=captures/a.tgz --host b=captures/b.tgz`,
    `  berth ${name} --demo                               of simulated hosts, without a server`,
    ...(note === undefined ? [] : ["", note]),
  ];
  return `${lines.join("\n")}\n`;
}

async function showListing<T>(listing: Listing<T>, options: ListOptions, context: Context): Promise<void> {
  const { output } = context;
  const client = isOffline(options) ? await openOffline(options) : openLink(options, context).inventory;
  const { generation, items } = await readAllPages((query) => listing.read(client, query));
  if (options.json === true) {
    output.write(`${formatJson(`${listing.name}/v1`, { generation, items })}\n`);
    return;
  }
  const table = items.length === 0 ? "" : `${formatTable(listing.head, items.map(listing.row))}\n`;
  output.write(`${table}${items.length} ${listing.nouns[items.length === 1 ? 0 : 1]}\n`);
}

async function openOffline(options: HostOptions): Promise<ApiClient> {
  // Loaded only here: no other command waits for the HTTP library.
  const { openInventory } = await import("../serve/inventory.ts");
  return openInventory(options);
}
