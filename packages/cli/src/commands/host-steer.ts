// SPDX-License-Identifier: Apache-2.0

import type { Command } from "commander";
import type { DoneAnswer } from "@berth/core/protocol/api/control-answers";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { ConnectionOptions } from "../connect/connection.ts";
import type { ServerLink } from "../connect/server-link.ts";
import type { Context } from "../program.ts";
import { formatOrder } from "../render/order-text.ts";
import { formatJson } from "../render/json.ts";
import { addServerOptions, openLink } from "./options.ts";

interface OrderOptions extends ConnectionOptions {
  readonly reason?: string;
  readonly yes?: true;
  readonly json?: true;
}

/** One order to a host. */
interface Order {
  readonly name: string;
  readonly description: string;
  readonly send: (control: ServerLink["control"], host: string, options: OrderOptions) => Promise<DoneAnswer>;
  /** After it was carried out, and where it was so before. */
  readonly words: readonly [done: string, before: string];
  readonly help: string;
}

const CORDON: Order = {
  name: "cordon",
  description: "Give a host no new claims; what it holds stays",
  send: (control, host, { reason }) => control.cordonHost(host, reason === undefined ? {} : { reason }),
  words: ["is cordoned: it gets no new claims", "was cordoned already"],
  help: "\nExamples:\n  berth cordon rack1-n2 --reason 'new driver on Tuesday'\n",
};

const UNCORDON: Order = {
  name: "uncordon",
  description: "Let a host have claims again",
  send: (control, host) => control.uncordonHost(host),
  words: ["may have claims again", "was not cordoned"],
  help: "\nExamples:\n  berth uncordon rack1-n2\n",
};

const FENCE: Order = {
  name: "fence",
  description: "Declare that a host is off: all of its claims end",
  send: (control, host) => control.fenceHost(host),
  words: ["counts as off", "held nothing that could end"],
  help: `
Examples:
  berth fence rack1-n2 --yes

This is for a host that is off or cut off for good: its claims end and their room is given to others. If it is not off,
VMs there go on using devices whose places others are given. Switch it off first; Berth cannot see whether you did.
`,
};

const FORGET: Order = {
  name: "forget",
  description: "Forget a host that is gone: its inventory, agent and cordon",
  send: (control, host) => control.forgetHost(host),
  words: ["is forgotten", "was not known any more"],
  help: "\nExamples:\n  berth forget rack1-n2\n\nA host that holds claims is not forgotten (host_holds_claims): release them, or berth fence it.\n",
};

/** `berth cordon`, `uncordon`, `fence` and `forget`. */
export function addHostOrders(program: Command, context: Context): void {
  addOrder(program, CORDON, context).option("--reason <text>", "why, for whoever asks later");
  addOrder(program, UNCORDON, context);
  addOrder(program, FENCE, context).option("--yes", "the host is off: I have made sure of it");
  addOrder(program, FORGET, context);
}

function addOrder(program: Command, order: Order, context: Context): Command {
  return addServerOptions(program.command(order.name))
    .description(order.description)
    .argument("<host>", "the name of a host")
    .option("--json", "one JSON document")
    .addHelpText("after", order.help)
    .action((host: string, options: OrderOptions) => sendOrder(order, { host, options }, context));
}

async function sendOrder(
  order: Order,
  { host, options }: { readonly host: string; readonly options: OrderOptions },
  context: Context,
): Promise<void> {
  if (order === FENCE && options.yes !== true) {
    throw new BerthError(
      "usage_missing_argument",
      `Fencing ${host} declares that it is off, and ends all of its claims`,
      {
        place: "--yes",
        expected: `berth fence ${host} --yes, once the host is switched off: places that its VMs still use would be given to others`,
      },
    );
  }
  const answer = await order.send(openLink(options, context).control, host, options);
  const [done, before] = order.words;
  const text = formatOrder(answer, `Host ${answer.host} ${answer.changed ? done : before}`);
  context.output.write(`${options.json === true ? formatJson("order/v1", answer) : text}\n`);
}
