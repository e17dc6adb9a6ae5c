// SPDX-License-Identifier: Apache-2.0

import { writeSync } from "node:fs";

import { openSqliteStore } from "./sqlite-store.ts";

// A process that is there to be killed: `node crash-writer.gen.ts DIRECTORY NAME CLIENTS`. Each client writes the pair
// `a/<client>`, `b/<client>` again and again, both with the same text, and tells what was acknowledged on standard
// output, a line each: the client, the text, the revision.

const [directory = "", name = "", clients = "1"] = process.argv.slice(2);
const store = await openSqliteStore({ directory });

async function writeOn(client: number): Promise<never> {
  for (let round = 0; ; round += 1) {
    const value = JSON.stringify(`${name}/${round}/${"x".repeat((round * 37) % 3000)}`);
    const answer = await store.transact({
      compares: [],
      writes: [
        { kind: "put", key: `a/${client}`, value },
        { kind: "put", key: `b/${client}`, value },
      ],
    });
    writeSync(1, `${JSON.stringify([client, value, answer.revision])}\n`);
  }
}

await Promise.all(Array.from({ length: Number(clients) }, (_, client) => writeOn(client)));
