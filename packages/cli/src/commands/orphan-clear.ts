// SPDX-License-Identifier: Apache-2.0

import type { Command } from "commander";
import type { ConnectionOptions } from "../connect/connection.ts";
import type { Context } from "../program.ts";
import { formatClaimState } from "../render/claim-text.ts";
import { formatJson } from "../render/json.ts";
import { addServerOptions, openLink } from "./options.ts";

interface ClearOptions extends ConnectionOptions {
  readonly json?: true;
}

const HELP = `
Examples:
  berth clear rack1-n2 01m7wsh3fnw1qydzwakes8d5ww

An orphan is a device that the host's agent made for a claim which no longer holds it: after a restore, or when a fenced host came
back. berth agents shows it as a notice. It is never removed by itself. The claim stands again as releasing: the agent takes away
what its own journal says that it made and nobody uses, and the room is free when it has proved that nothing is left.
`;

/** `berth clear`: has orphans taken away. */
export function addClearCommand(program: Command, context: Context): void {
  addServerOptions(program.command("clear"))
    .description("Have orphans taken away: devices that were made for a claim which no longer holds them")
    .argument("<host>", "the host")
    .argument("<claim>", "the claim that the notice names")
    .option("--json", "one JSON document")
    .addHelpText("after", HELP)
    .action(async (host: string, claim: string, options: ClearOptions) => {
      const { control } = openLink(options, context);
      const answer = await control.clearOrphans(host, claim);
      const text = options.json === true ? formatJson("claim/v1", answer) : formatClaimState(answer.claim);
      context.output.write(`${text}\n`);
    });
}
