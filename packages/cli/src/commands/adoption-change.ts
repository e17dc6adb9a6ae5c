// SPDX-License-Identifier: Apache-2.0

import type { Command } from "commander";
import { readAllPages } from "@berth/core/protocol/api/client";
import type { DoneAnswer } from "@berth/core/protocol/api/control-answers";
import type { AdoptionBody } from "@berth/core/protocol/api/control-requests";
import type { ConnectionOptions } from "../connect/connection.ts";
import { findAdoptable, findAdopted } from "../input/adoption-reference.ts";
import type { Context } from "../program.ts";
import { formatJson } from "../render/json.ts";
import { formatList } from "../render/list-text.ts";
import { formatOrder } from "../render/order-text.ts";
import { addServerOptions, openLink } from "./options.ts";

interface AdoptionOptions extends ConnectionOptions {
  readonly json?: true;
}

const ADOPT_HELP = `
Examples:
  berth adopt rack1-n2:0000:6a:01.0    devices may be made on this parent
  berth adopt rack6-n1:db1             this VM may be moved

Nothing is made on a parent, and no VM of another owner is moved, before it was handed over.
`;

const DISOWN_HELP = `
Examples:
  berth disown rack1-n2:0000:6a:01.0
  berth disown rack6-n1:db1

Claims that stand there stay until they are released; there are no new ones.
`;

/** `berth adopt`, `disown` and `adoptions`. */
export function addAdoptionCommands(program: Command, context: Context): void {
  addChange(program, "adopt")
    .description("Hand a parent device or a VM over to Berth")
    .addHelpText("after", ADOPT_HELP)
    .action(async (text: string, options: AdoptionOptions) => {
      const link = openLink(options, context);
      const body = await findAdoptable(text, link);
      const answer = await link.control.adopt(body);
      const words = answer.changed ? "is handed over to Berth" : "was handed over before";
      writeChange({ answer, sentence: `${nameOf(body)} ${words}` }, options, context);
    });
  addChange(program, "disown")
    .description("Take a parent device or a VM back")
    .addHelpText("after", DISOWN_HELP)
    .action(async (text: string, options: AdoptionOptions) => {
      const link = openLink(options, context);
      const body = await findAdopted(text, link);
      const answer = await link.control.disown(body);
      const words = answer.changed ? "is no longer Berth's" : "was not Berth's";
      writeChange({ answer, sentence: `${nameOf(body)} ${words}` }, options, context);
    });
  addServerOptions(program.command("adoptions"))
    .description("What was handed over to Berth, host by host")
    .option("--json", "one JSON document")
    .addHelpText("after", "\nExamples:\n  berth adoptions\n  berth adoptions --json\n")
    .action((options: AdoptionOptions) => listAdoptions(options, context));
}

function addChange(program: Command, name: string): Command {
  return addServerOptions(program.command(name))
    .argument("<parent|vm>", "a parent device, or a VM's name or uuid, with host: in front where several have it")
    .option("--json", "one JSON document");
}

function nameOf(body: AdoptionBody): string {
  return "vm" in body ? `VM ${body.host}:${body.vm}` : `Parent ${body.host}:${body.parent}`;
}

function writeChange(
  { answer, sentence }: { readonly answer: DoneAnswer; readonly sentence: string },
  { json }: AdoptionOptions,
  { output }: Context,
): void {
  output.write(`${json === true ? formatJson("order/v1", answer) : formatOrder(answer, sentence)}\n`);
}

async function listAdoptions(options: AdoptionOptions, context: Context): Promise<void> {
  const { control } = openLink(options, context);
  const { generation, items } = await readAllPages((query) => control.listAdoptions(query));
  const rows = items.flatMap(({ host, parents, vms }) => [
    ...parents.map((id) => [host, "parent", id]),
    ...vms.map((id) => [host, "VM", id]),
  ]);
  const shown = { head: ["HOST", "KIND", "ID"], rows, nouns: ["adoption", "adoptions"] } as const;
  const text = options.json === true ? formatJson("adoptions/v1", { generation, items }) : formatList(shown);
  context.output.write(`${text}\n`);
}
