// SPDX-License-Identifier: Apache-2.0

import { join } from "node:path";
import { Option, type Command } from "commander";
import { ROLES, type Role } from "@berth/core/protocol/api/endpoint";
import { findDataDirectory } from "../connect/data-directory.ts";
import { findSetting, type Setting } from "../connect/setting.ts";
import { addToken, readTokenEntries, removeToken } from "../input/tokens-file.ts";
import type { Context } from "../program.ts";
import { formatJson } from "../render/json.ts";
import { formatList } from "../render/list-text.ts";
import type { World } from "../world.ts";

interface TokenOptions {
  readonly tokens?: string;
  readonly role: Role;
  readonly json?: true;
}

const HELP = `
Examples:
  berth token new dashboards --role viewer --tokens tokens.json > dashboards.token
  berth token list
  berth token remove dashboards

A token is shown once, alone on standard output; the file holds its SHA-256. A running server reads the file again on SIGHUP.
`;

/** `berth token new`, `list` and `remove`: the tokens file of a server, without the server. */
export function addTokenCommand(program: Command, context: Context): void {
  const token = program
    .command("token")
    .description("Who may ask a server: draw a token, list them, take one out")
    .addHelpText("after", HELP);
  addTokens(token.command("new"))
    .description("Draw a token, print it once, and add its hash to the tokens file")
    .argument("<name>", "whom it is for, as the audit will name them")
    .addOption(new Option("--role <role>", "what it may do").choices(ROLES).makeOptionMandatory())
    .action((name: string, options: TokenOptions) => makeToken(name, options, context));
  addTokens(token.command("list"))
    .description("Names and roles in the tokens file")
    .action((options: TokenOptions) => listTokens(options, context));
  addTokens(token.command("remove"))
    .description("Take a token out of the tokens file")
    .argument("<name>", "as berth token list shows it")
    .action((name: string, options: TokenOptions) => dropToken(name, options, context));
}

function addTokens(command: Command): Command {
  return command
    .option("--tokens <file>", "the tokens file (BERTH_TOKENS; tokens.json in the data directory)")
    .option("--json", "one JSON document")
    .addHelpText("after", HELP);
}

/** The tokens file: the option, BERTH_TOKENS, or the one in the data directory. */
export function findTokensFile(options: Pick<TokenOptions, "tokens">, world: World): Setting {
  const said = findSetting({ option: "--tokens", value: options.tokens }, "BERTH_TOKENS", world.env);
  if (said !== undefined) return said;
  const directory = findDataDirectory(world);
  return { value: join(directory.value, "tokens.json"), origin: `data directory (${directory.origin})` };
}

function makeToken(name: string, options: TokenOptions, { output, world }: Context): void {
  const { role } = options;
  const tokens = findTokensFile(options, world).value;
  const token = world.drawSecret();
  addToken(tokens, token, { name, role });
  if (options.json === true) {
    output.write(`${formatJson("token/v1", { name, role, token, tokens })}\n`);
    return;
  }
  output.write(`${token}\n`);
  output.writeError(
    `${tokens}: ${name} may do what a ${role} may. The token above is not shown again: keep it in a file of mode 0600.\n`,
  );
}

function listTokens(options: TokenOptions, { output, world }: Context): void {
  const tokens = findTokensFile(options, world).value;
  const items = listEntries(tokens);
  const rows = items.map(({ name, role }) => [name, role]);
  const shown = { head: ["NAME", "ROLE"], rows, nouns: ["token", "tokens"] } as const;
  output.write(`${options.json === true ? formatJson("tokens/v1", { tokens, items }) : formatList(shown)}\n`);
}

function dropToken(name: string, options: TokenOptions, { output, world }: Context): void {
  const tokens = findTokensFile(options, world).value;
  removeToken(tokens, name);
  const text = `${tokens}: ${name} is taken out; a running server refuses the token after SIGHUP`;
  const items = listEntries(tokens);
  output.write(`${options.json === true ? formatJson("tokens/v1", { tokens, items }) : text}\n`);
}

/** Names and roles: a hash is nobody's business. */
function listEntries(path: string): readonly { readonly name: string; readonly role: Role }[] {
  return readTokenEntries(path).map(({ name, role }) => ({ name, role }));
}
