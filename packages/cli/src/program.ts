// SPDX-License-Identifier: Apache-2.0

import { Command, CommanderError } from "commander";
import { BerthError } from "@berth/core/protocol/berth-error";
import { ERROR_CODES } from "@berth/core/protocol/error-codes";
import packageJson from "../package.json" with { type: "json" };
import { addCheckCommand } from "./commands/pair-check.ts";
import { addDemoCommand } from "./commands/demo-run.ts";
import { addHostCommand } from "./commands/host-show.ts";
import { addWhereCommand } from "./commands/device-where.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";

/** Where a command writes. */
export interface Output {
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/** What a command's action is given beside its arguments. */
export interface Context {
  readonly output: Output;
  /** Sets what the process exits with. */
  readonly finish: (code: ExitCode) => void;
}

/** Runs one `berth` command line and answers its exit code. Never throws for what a user or a host can do wrong. */
export async function runCommand(args: readonly string[], output: Output): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.yes;
  const program = makeProgram({ output, finish: (code) => (exitCode = code) });
  try {
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.yes : EXIT.usage;
    if (!(error instanceof BerthError)) throw error;
    output.writeError(formatFailure(error));
    return ERROR_CODES[error.code].exitCode === 2 ? EXIT.usage : EXIT.failed;
  }
}

function makeProgram(context: Context): Command {
  const program = new Command("berth")
    .description("Finds every VM with assigned VFIO devices a place it can live-migrate to, and proves why.")
    .version(packageJson.version)
    .exitOverride()
    .configureOutput({ writeOut: context.output.write, writeErr: context.output.writeError })
    .showHelpAfterError("(berth --help, or berth COMMAND --help)")
    .addHelpText("after", TOP_HELP);
  addDemoCommand(program, context);
  addHostCommand(program, context);
  addCheckCommand(program, context);
  addWhereCommand(program, context);
  for (const command of program.commands) {
    command.exitOverride().configureOutput({ writeOut: context.output.write, writeErr: context.output.writeError });
  }
  return program;
}

const TOP_HELP = `
Examples:
  berth demo                                      the main job on a small simulated fleet
  berth host                                      what this host has, straight from sysfs
  berth where UUID --host a=captures/a.tgz --host b=captures/b.tgz

Exit codes: 0 yes or done, 1 failed, 2 usage, 3 answered "no", 4 undetermined, 5 compatible but no room now.
Errors are listed in docs/errors.md.
`;

/** A coded failure in a few short lines: what, where, every detail, what was expected. */
export function formatFailure(error: BerthError): string {
  const lines = [`berth: ${error.code}: ${error.message}`];
  if (error.place !== undefined && !error.message.includes(error.place)) lines.push(`  at: ${error.place}`);
  for (const detail of error.details) lines.push(`  - ${detail}`);
  if (error.expected !== undefined) lines.push(`  expected: ${error.expected}`);
  return `${lines.join("\n")}\n`;
}
