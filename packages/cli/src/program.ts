// SPDX-License-Identifier: Apache-2.0

import { Command, CommanderError, type OutputConfiguration } from "commander";
import { BerthError } from "@berth/core/protocol/berth-error";
import { ERROR_CODES, type ErrorCode } from "@berth/core/protocol/error-codes";
import packageJson from "../package.json" with { type: "json" };
import { addAdoptionCommands } from "./commands/adoption-change.ts";
import { addAgentsCommand } from "./commands/agent-enrol.ts";
import { addAuditCommand } from "./commands/audit-list.ts";
import { addBackupCommand } from "./commands/backup-write.ts";
import { addRestoreCommand } from "./commands/backup-restore.ts";
import { addClaimCommand } from "./commands/claim-make.ts";
import { addClaimOrders } from "./commands/claim-steer.ts";
import { addClaimsCommand } from "./commands/claim-list.ts";
import { addClearCommand } from "./commands/orphan-clear.ts";
import { addConfigCommand } from "./commands/config-show.ts";
import { addEventsCommand } from "./commands/events-follow.ts";
import { addHostOrders } from "./commands/host-steer.ts";
import { addProbeCommands } from "./commands/probe-ask.ts";
import { addTokenCommand } from "./commands/token-change.ts";
import { addTextCommand } from "./commands/text-show.ts";
import { addVmsCommand } from "./commands/vm-list.ts";
import { addCheckCommand } from "./commands/pair-check.ts";
import { addDemoCommand } from "./commands/demo-run.ts";
import { addHostCommand } from "./commands/host-show.ts";
import { addWhereCommand } from "./commands/device-where.ts";
import { addInventoryCommands } from "./commands/inventory-list.ts";
import { addServerCommand } from "./commands/server-run.ts";
import { addAgentCommand } from "./commands/agent-run.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { worldOfProcess, type World } from "./world.ts";

/** Where a command writes. */
export interface Output {
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
  /** Whether nobody reads any more: what goes on for long ends then. */
  readonly isGone?: () => boolean;
}

/** What a command's action is given beside its arguments. */
export interface Context {
  readonly output: Output;
  readonly world: World;
  /** Sets what the process exits with. */
  readonly finish: (code: ExitCode) => void;
}

/** Runs one `berth` command line and answers its exit code. Never throws for what a user or a host can do wrong. */
export async function runCommand(
  args: readonly string[],
  output: Output,
  world: World = worldOfProcess(),
): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.yes;
  const program = makeProgram({ output, world, finish: (code) => (exitCode = code) });
  try {
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && isHelp(error)) return error.exitCode === 0 ? EXIT.yes : EXIT.usage;
    const coded = error instanceof CommanderError ? usageErrorOf(error) : error;
    if (!(coded instanceof BerthError)) throw error;
    output.writeError(formatFailure(coded));
    return ERROR_CODES[coded.code].exitCode === 2 ? EXIT.usage : EXIT.failed;
  }
}

function makeProgram(context: Context): Command {
  const program = new Command("berth")
    .description("Finds every VM with assigned VFIO devices a place it can live-migrate to, and proves why.")
    .version(packageJson.version)
    .addHelpText("after", TOP_HELP);
  for (const [heading, add] of GROUPS) {
    program.commandsGroup(heading);
    add(program, context);
  }
  settle(program, context);
  return program;
}

/** The commands under the headings of the help, in its order. */
const GROUPS: readonly (readonly [heading: string, add: (program: Command, context: Context) => void])[] = [
  ["May it move, and where to:", addQuestions],
  ["What there is:", addInventory],
  ["Holding places:", addClaims],
  ["Steering hosts:", addSteering],
  ["Running Berth:", addOperation],
];

function addQuestions(program: Command, context: Context): void {
  addWhereCommand(program, context);
  addCheckCommand(program, context);
  addProbeCommands(program, context);
}

function addInventory(program: Command, context: Context): void {
  addHostCommand(program, context);
  addInventoryCommands(program, context);
  addVmsCommand(program, context);
  addTextCommand(program, context);
  addEventsCommand(program, context);
}

function addClaims(program: Command, context: Context): void {
  addClaimCommand(program, context);
  addClaimsCommand(program, context);
  addClaimOrders(program, context);
}

function addSteering(program: Command, context: Context): void {
  addAdoptionCommands(program, context);
  addHostOrders(program, context);
  addAgentsCommand(program, context);
  addClearCommand(program, context);
  addAuditCommand(program, context);
}

function addOperation(program: Command, context: Context): void {
  addDemoCommand(program, context);
  addServerCommand(program, context);
  addAgentCommand(program, context);
  addBackupCommand(program, context);
  addRestoreCommand(program, context);
  addTokenCommand(program, context);
  addConfigCommand(program, context);
}

/** Every command, also below another, throws instead of ending the process, and writes where the program writes. */
function settle(command: Command, context: Context): void {
  command.exitOverride().configureOutput(outputOf(context));
  for (const below of command.commands) settle(below, context);
}

/** Usage errors are told once, coded, by `runCommand`; commander itself prints help only. */
function outputOf({ output }: Context): OutputConfiguration {
  return { writeOut: output.write, writeErr: output.writeError, outputError: () => undefined };
}

/** What commander calls its complaints, in Berth's codes. */
const USAGE_CODES: Readonly<Record<string, ErrorCode>> = {
  "commander.conflictingOption": "usage_conflict",
  "commander.excessArguments": "usage_too_many_arguments",
  "commander.invalidArgument": "usage_bad_value",
  "commander.missingArgument": "usage_missing_argument",
  "commander.missingMandatoryOptionValue": "usage_missing_argument",
  "commander.optionMissingArgument": "usage_missing_argument",
  "commander.unknownCommand": "usage_unknown_command",
  "commander.unknownOption": "usage_unknown_option",
};

function isHelp(error: CommanderError): boolean {
  return (
    error.code === "commander.help" || error.code === "commander.helpDisplayed" || error.code === "commander.version"
  );
}

function usageErrorOf(error: CommanderError): BerthError {
  const [first = "", ...hints] = error.message.replace(/^error: /, "").split("\n");
  const message = [`${first.charAt(0).toUpperCase()}${first.slice(1)}`, ...hints].join(" ").replace(/\.$/, "");
  return new BerthError(USAGE_CODES[error.code] ?? "usage_bad_value", message, {
    expected: "what berth --help and berth COMMAND --help show",
  });
}

const TOP_HELP = `
Examples:
  berth demo                                      the main job on a small simulated fleet
  berth host                                      what this host has, straight from sysfs
  berth where UUID --host a=captures/a.tgz --host b=captures/b.tgz
  berth claim rack6-n1:db1 --make                 the best place for all devices of a VM, held and made

A server is found by --server, BERTH_SERVER, or at http://127.0.0.1:7411; docs/cli.md has all commands and settings.

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
