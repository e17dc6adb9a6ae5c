// SPDX-License-Identifier: Apache-2.0

import { Option, type Command } from "commander";
import { CLAIM_STATES } from "@berth/core/claim/claim-state";
import { readAllPages } from "@berth/core/protocol/api/client";
import type { ConnectionOptions } from "../connect/connection.ts";
import { withClaim } from "../input/claim-reference.ts";
import type { Context } from "../program.ts";
import { CLAIM_HEAD, claimRow, formatClaim } from "../render/claim-text.ts";
import { formatJson } from "../render/json.ts";
import { formatList } from "../render/list-text.ts";
import { addServerOptions, openLink } from "./options.ts";

interface ClaimsOptions extends ConnectionOptions {
  readonly host?: string;
  readonly state?: string;
  readonly all?: true;
  readonly json?: true;
}

const HELP = `
Examples:
  berth claims                           those that hold room
  berth claims --host rack1-n2 --all     also those that have ended
  berth claims --state releasing
  berth claims 0199f3                    everything about one; the beginning of its id is enough where one alone fits

UNTIL is when a held claim expires, or when an ended one ended. docs/claims.md explains the states.
`;

/** `berth claims`: the claims there are, or one with everything about it. */
export function addClaimsCommand(program: Command, context: Context): void {
  addServerOptions(program.command("claims"))
    .description("The claims that hold room; with an ID everything about one")
    .argument("[id]", "the id of a claim, or the beginning of it")
    .option("--host <host>", "only claims on this host")
    .addOption(
      new Option("--state <state>", "only claims in this state; open: all that hold room").choices([
        "open",
        ...CLAIM_STATES,
      ]),
    )
    .addOption(new Option("--all", "also claims that have ended").conflicts("state"))
    .option("--json", "one JSON document")
    .addHelpText("after", HELP)
    .action((id: string | undefined, options: ClaimsOptions) =>
      id === undefined ? listClaims(options, context) : showClaim(id, options, context),
    );
}

async function listClaims(options: ClaimsOptions, context: Context): Promise<void> {
  const { control } = openLink(options, context);
  const state = options.state ?? (options.all === true ? undefined : "open");
  const filter = {
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(state === undefined ? {} : { state }),
  };
  const { generation, items } = await readAllPages((query) => control.listClaims({ ...query, ...filter }));
  const shown = { head: CLAIM_HEAD, rows: items.map(claimRow), nouns: ["claim", "claims"] } as const;
  const text = options.json === true ? formatJson("claims/v1", { generation, items }) : formatList(shown);
  context.output.write(`${text}\n`);
}

async function showClaim(id: string, options: ClaimsOptions, context: Context): Promise<void> {
  const { control } = openLink(options, context);
  const answer = await withClaim(id, control, (whole) => control.readClaim(whole));
  const text = options.json === true ? formatJson("claim/v1", answer) : formatClaim(answer.claim);
  context.output.write(`${text}\n`);
}
