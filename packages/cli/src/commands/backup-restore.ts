// SPDX-License-Identifier: Apache-2.0

import type { Command } from "commander";
import type { Context } from "../program.ts";
import { formatJson } from "../render/json.ts";

interface RestoreOptions {
  readonly data: string;
  readonly json?: true;
}

const HELP = `
Examples:
  berth restore /backup/berth-2026-11-20.sqlite --data /var/lib/berth

No server may use the directory, and it must hold no store: nothing is overwritten. The store gets a new epoch, so
everybody who followed the old one reads everything again. Claims that were made after the backup are not in it: their devices
are reported as orphans. docs/operations.md says what to look at afterwards.
`;

/** `berth restore`: makes a store of a backup, without a server. */
export function addRestoreCommand(program: Command, context: Context): void {
  program
    .command("restore")
    .description("Make a store of a backup, in a data directory without one")
    .argument("<file>", "what berth backup wrote")
    .requiredOption("--data <dir>", "the data directory of the server that is to start from it")
    .option("--json", "one JSON document")
    .addHelpText("after", HELP)
    .action((file: string, options: RestoreOptions) => restore(file, options, context));
}

async function restore(file: string, { data, json }: RestoreOptions, { output }: Context): Promise<void> {
  // Loaded only here: no other command waits for the database library.
  const { restoreBackup } = await import("@berth/server/store/sqlite/backup");
  const { epoch, revision } = restoreBackup({ backup: file, directory: data });
  const text =
    json === true
      ? formatJson("restore/v1", { data, epoch, revision })
      : `${data} holds the store of ${file}: revision ${revision}, new epoch ${epoch}`;
  output.write(`${text}\n`);
}
