// SPDX-License-Identifier: Apache-2.0

import type { Command } from "commander";
import type { ConnectionOptions } from "../connect/connection.ts";
import { EXIT } from "../exit-code.ts";
import type { Context } from "../program.ts";
import { formatJson } from "../render/json.ts";
import { printable } from "../render/table.ts";
import { addServerOptions, openLink } from "./options.ts";

interface TextOptions extends ConnectionOptions {
  readonly json?: true;
}

const HELP = `
Examples:
  berth text rack6-n1 /proc/4242/cmdline
  berth text rack6-n1 /etc/libvirt/qemu/db1.xml --json

Servers keep what a file means, and not always its text; evidence that says textOnHost names the path. The host's agent tells
the text as it was when the host was last reported. No other file of a host can be read in this way.
Exit codes: 0 told, 3 the agent keeps no text of that path any more.
`;

/** `berth text`: a raw text that stayed on its host. */
export function addTextCommand(program: Command, context: Context): void {
  addServerOptions(program.command("text"))
    .description("The raw text of a reading, where it stayed on its host")
    .argument("<host>", "the host")
    .argument("<path>", "the path of the evidence")
    .option("--json", "one JSON document")
    .addHelpText("after", HELP)
    .action(async (host: string, path: string, options: TextOptions) => {
      const { control } = openLink(options, context);
      const answer = await control.readText(host, path);
      const exitCode = answer.text === null ? EXIT.no : EXIT.yes;
      const text = answer.text === null ? "The agent keeps no text of that path any more" : printable(answer.text);
      context.output.write(`${options.json === true ? formatJson("text/v1", { ...answer, exitCode }) : text}\n`);
      context.finish(exitCode);
    });
}
