// SPDX-License-Identifier: Apache-2.0

import { Option, type Command } from "commander";
import { BerthError } from "@berth/core/protocol/berth-error";
import { DEFAULT_SERVER, findConnection, type ConnectionOptions } from "../connect/connection.ts";
import type { ServerLink } from "../connect/server-link.ts";
import type { HostOptions } from "../input/hosts.ts";
import type { Context } from "../program.ts";

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

/** Adds what says how a server is reached. With `--host` or `--demo` no server is asked. */
export function addServerOptions(command: Command): Command {
  const isOffline = command.options.some(({ long }) => long === "--demo");
  const server = new Option("--server <url>", `the server (BERTH_SERVER; ${DEFAULT_SERVER})`);
  return command
    .addOption(isOffline ? server.conflicts(["host", "demo"]) : server)
    .option(
      "--token-file <file>",
      "a file, mode 0600, that holds the token (BERTH_TOKEN_FILE, or the token in BERTH_TOKEN)",
    )
    .option("--ca <file>", "the authority of the server's certificate, PEM (BERTH_CA)");
}

/** Opens the server that a command line and the environment name. */
export function openLink(options: ConnectionOptions, { world }: Context): ServerLink {
  return world.openServer(findConnection(options, world));
}

/** Whether a command is to read hosts itself, rather than ask a server. */
export function isOffline({ host, demo }: HostOptions): boolean {
  return host.length > 0 || demo === true;
}

/** Reads a count of at least 1. */
export function parseCount(option: string, max: number): (text: string) => number {
  return (text) => {
    if (/^[1-9]\d{0,8}$/.test(text) && Number(text) <= max) return Number(text);
    throw new BerthError("usage_bad_value", `Cannot read ${option} ${JSON.stringify(text.slice(0, 80))}`, {
      place: option,
      expected: `a whole number from 1 to ${max}`,
    });
  };
}

/** Reads an option that may be given several times. */
export function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}
