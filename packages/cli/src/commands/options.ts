// SPDX-License-Identifier: Apache-2.0

import { Option, type Command } from "commander";

/** Adds `--policy`, `--pack` and `--assume-platform` to a command that gives a verdict. */
export function addStatementOptions(command: Command): Command {
  return command
    .option("--policy <file>", "the operator's policy: JSON, docs/schemas/policy.json")
    .addOption(
      new Option("--pack <file>", "a driver pack beside the built-in ones (repeatable)")
        .argParser(collect)
        .default([], "none"),
    )
    .option("--assume-platform", "skip the platform verdict (R10); every answer says so");
}

/** Adds `--host NAME=ROOT`, repeatable, and `--demo`. */
export function addHostOption(command: Command): Command {
  return command
    .addOption(
      new Option("--host <name=root>", "a host and its tree: / for this one, a captured folder or .tgz (repeatable)")
        .argParser(collect)
        .default([], "none"),
    )
    .option("--demo", "add the hosts of berth demo");
}

/** Reads an option that may be given several times. */
export function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}
