// SPDX-License-Identifier: Apache-2.0

import type { Command } from "commander";
import { readAllPages } from "@berth/core/protocol/api/client";
import type { VmItem } from "@berth/core/protocol/api/control-answers";
import type { ConnectionOptions } from "../connect/connection.ts";
import type { Context } from "../program.ts";
import { formatJson } from "../render/json.ts";
import { formatList } from "../render/list-text.ts";
import { addServerOptions, openLink } from "./options.ts";

interface VmsOptions extends ConnectionOptions {
  readonly host?: string;
  readonly json?: true;
}

const HELP = `
Examples:
  berth vms
  berth vms --host rack6-n1 --json

OWNER says whose VM it is by the marks on its host. Berth moves only those that were handed over: berth adopt HOST:VM.
`;

const HEAD = ["HOST", "VM", "ID", "STATE", "OWNER", "ADOPTED", "DEVICES"];

/** `berth vms`: the VMs of all hosts with their devices. */
export function addVmsCommand(program: Command, context: Context): void {
  addServerOptions(program.command("vms"))
    .description("All VMs with their devices, and whose they are")
    .option("--host <host>", "only VMs of this host")
    .option("--json", "one JSON document")
    .addHelpText("after", HELP)
    .action((options: VmsOptions) => listVms(options, context));
}

async function listVms(options: VmsOptions, context: Context): Promise<void> {
  const { control } = openLink(options, context);
  const filter = options.host === undefined ? {} : { host: options.host };
  const { generation, items } = await readAllPages((query) => control.listVms({ ...query, ...filter }));
  const shown = { head: HEAD, rows: items.map(vmRow), nouns: ["VM", "VMs"] } as const;
  context.output.write(`${options.json === true ? formatJson("vms/v1", { generation, items }) : formatList(shown)}\n`);
}

function vmRow({ host, name, id, state, owner, adopted, devices }: VmItem): readonly string[] {
  const words = state === "defined" ? "shut off" : state;
  const names = devices.map(({ device }) => device);
  return [host, name, id === name ? "-" : id, words, owner.kind, adopted ? "yes" : "", names.join(" ") || "-"];
}
