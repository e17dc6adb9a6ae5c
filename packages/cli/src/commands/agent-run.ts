// SPDX-License-Identifier: Apache-2.0

import type { Command } from "commander";
import type { Context } from "../program.ts";

const HELP = `
Examples:
  berth agent run --server https://berth.example:7411 --token-file token-file     enrols this host the first time, then runs
  berth agent run                                                                 ever after
  berth agent enrol --server URL --token-file FILE                                enrols, and ends
  berth agent run --help                                                          all options

The same program as berth-agent, which is what hypervisors are given: it needs Node 20 or newer and nothing else. It runs as
root, dials out only, and makes devices on parents that were handed over with berth adopt. Tokens: berth agents enrol HOST.
`;

/** `berth agent`: the agent of this machine. Its arguments are those of `berth-agent`. */
export function addAgentCommand(program: Command, { output, finish }: Context): void {
  program
    .command("agent")
    .description("Run the agent of this host: report its devices, make those that are claimed")
    .argument("[arguments...]", "run, enrol or host, and what they take")
    .allowUnknownOption()
    .helpOption(false)
    .addHelpText("after", HELP)
    .action(async (args: readonly string[], _options: unknown, command: Command) => {
      if (args.length === 0 || args[0] === "--help" || args[0] === "-h") {
        output.write(command.helpInformation());
        output.write(HELP);
        if (args.length === 0) finish(2);
        return;
      }
      // Loaded only here: no other command waits for it.
      const { runAgentCommand } = await import("@berth/agent/command/run-command");
      finish(await runAgentCommand(args, output));
    });
}
