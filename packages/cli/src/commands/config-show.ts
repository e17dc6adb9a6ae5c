// SPDX-License-Identifier: Apache-2.0

import type { Command } from "commander";
import { BerthError } from "@berth/core/protocol/berth-error";
import { findCa, findServer, findTokenSource, readToken, type ConnectionOptions } from "../connect/connection.ts";
import { findDataDirectory } from "../connect/data-directory.ts";
import type { Context } from "../program.ts";
import { formatJson } from "../render/json.ts";
import { formatTable } from "../render/table.ts";
import type { World } from "../world.ts";
import { addServerOptions } from "./options.ts";
import { findTokensFile } from "./token-change.ts";

interface ConfigOptions extends ConnectionOptions {
  readonly json?: true;
}

/** One setting as it is in force. */
interface ShownSetting {
  readonly name: string;
  /** Null: not set. Never a secret. */
  readonly value: string | null;
  readonly origin: string;
  /** What is wrong with it. */
  readonly problem?: string;
}

const HELP = `
Examples:
  berth config show
  berth config show --server https://berth.example:7411 --json

ORIGIN is the option, the variable of the environment, or the default that says so. A token is never shown.
`;

/** `berth config show`: the settings in force. */
export function addConfigCommand(program: Command, context: Context): void {
  const config = program.command("config").description("The settings in force, and who said so");
  addServerOptions(config.command("show"))
    .description("Each setting with its value and origin; nothing is asked of a server")
    .option("--json", "one JSON document")
    .addHelpText("after", HELP)
    .action((options: ConfigOptions) => showConfig(options, context));
}

function showConfig(options: ConfigOptions, { output, world }: Context): void {
  const settings = findSettings(options, world);
  const rows = settings.map(({ name, value, origin, problem }) => [name, value ?? "-", origin, problem ?? ""]);
  const text =
    options.json === true
      ? formatJson("config/v1", { settings })
      : formatTable(["SETTING", "VALUE", "ORIGIN", "PROBLEM"], rows);
  output.write(`${text}\n`);
}

function findSettings(options: ConfigOptions, world: World): readonly ShownSetting[] {
  const { value, origin } = findServer(options, world);
  const ca = findCa(options, world);
  return [
    { name: "server", value, origin },
    findTokenSetting(options, world),
    { name: "ca", value: ca?.value ?? null, origin: ca?.origin ?? "not set: those of the system" },
    { name: "data", ...findDataDirectory(world) },
    { name: "tokens", ...findTokensFile({}, world) },
  ];
}

function findTokenSetting(options: ConfigOptions, world: World): ShownSetting {
  const source = findTokenSource(options, world);
  if (source === undefined) return { name: "token", value: null, origin: "not set" };
  const value = source.kind === "file" ? source.path : "(set, not shown)";
  try {
    readToken(source);
    return { name: "token", value, origin: source.origin };
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    return { name: "token", value, origin: source.origin, problem: `${error.code}: ${error.message}` };
  }
}
