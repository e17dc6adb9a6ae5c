// SPDX-License-Identifier: Apache-2.0

import type { Command } from "commander";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { ConnectionOptions } from "../connect/connection.ts";
import { writeNewFile } from "../connect/new-file.ts";
import type { Context } from "../program.ts";
import { formatJson } from "../render/json.ts";
import { addServerOptions, openLink } from "./options.ts";

interface BackupOptions extends ConnectionOptions {
  readonly json?: true;
}

const HELP = `
Examples:
  berth backup /backup/berth-2026-11-20.sqlite

The copy is the store as it was at one moment, while the server goes on. It holds everything, the hashes of credentials
included: the file has mode 0600. Nothing is overwritten. berth restore makes a store of it; an etcd store is saved with
etcd's own tools (docs/etcd.md).
`;

/** A server may need this long before the copy is made. */
const QUIET_MS = 300_000;
/** What an SQLite file begins with. */
const MAGIC = Buffer.from("SQLite format 3\0", "latin1");

/** `berth backup`: a copy of the server's store as one file. */
export function addBackupCommand(program: Command, context: Context): void {
  addServerOptions(program.command("backup"))
    .description("Copy the server's store into a new file")
    .argument("<file>", "a file that does not exist")
    .option("--json", "one JSON document")
    .addHelpText("after", HELP)
    .action((file: string, options: BackupOptions) => writeBackup(file, options, context));
}

async function writeBackup(file: string, options: BackupOptions, context: Context): Promise<void> {
  const { read } = openLink(options, context);
  const chunks = await read({ path: "/v1/backup", headers: {}, quietMs: QUIET_MS });
  const bytes = await writeNewFile(file, checkStore(chunks));
  const text = options.json === true ? formatJson("backup/v1", { file, bytes }) : `${file}: ${bytes} bytes`;
  context.output.write(`${text}\n`);
}

/** Passes the chunks of an SQLite file on; throws BerthError `server_answer_malformed` where they are none. */
async function* checkStore(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let head = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (head.length < MAGIC.length) {
      head = Buffer.concat([head, chunk]);
      requireMagic(head.subarray(0, MAGIC.length));
    }
    yield chunk;
  }
  if (head.length < MAGIC.length) requireMagic(undefined);
}

function requireMagic(head: Buffer | undefined): void {
  if (head?.equals(MAGIC.subarray(0, head.length)) === true) return;
  throw new BerthError("server_answer_malformed", "GET /v1/backup answered something that is no store", {
    place: "GET /v1/backup",
    expected: "an SQLite file",
  });
}
