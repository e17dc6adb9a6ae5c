// SPDX-License-Identifier: Apache-2.0

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { DatabaseSync } from "node:sqlite";

import { MemoryJournal } from "@berth/server/store/memory/memory-journal";
import { ManualAlarm } from "@berth/server/store/memory/manual-alarm";
import { MemoryStore } from "@berth/server/store/memory/memory-store";
import { openSqliteStore } from "@berth/server/store/sqlite/sqlite-store";
import type { Store, Transaction } from "@berth/server/store/store";

// Durable transactions a second of the embedded store, shaped as a claim is: two compares, and three documents of 300 to
// 3,000 bytes. Beside it, in turns on the same disk, two floors: the same rows inserted with node:sqlite and no thought,
// one commit for each group of so many, and a bare write and fdatasync of as many bytes. The store in memory shows what
// the port costs without a disk. DIRECTORY and MS can be given: `npm run bench -- --directory=DIR --ms=2000`.

function readOption(name: string, standard: string): string {
  const found = process.argv.find((argument) => argument.startsWith(`--${name}=`));
  return found?.slice(name.length + 3) ?? standard;
}

const DIRECTORY = readOption("directory", os.tmpdir());
const SLICE_MS = Number(readOption("ms", "1000"));
const ROUNDS = 3;
const CLIENTS = [1, 16, 100];
const LEDGER = JSON.stringify({ held: "x".repeat(2950) });
const CLAIM = JSON.stringify({ state: "held", of: "x".repeat(1000) });
const AUDIT = JSON.stringify({ who: "x".repeat(280) });

/** Runs for a slice of time and answers how many were done, a second. */
type Contender = (clients: number) => Promise<number>;

async function rate(round: () => Promise<number>): Promise<number> {
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < SLICE_MS) count += await round();
  return (count * 1000) / (performance.now() - start);
}

let serial = 0;

function makeClaim(host: number, revision: number): Transaction {
  serial += 1;
  const ledger = `ledger/host-${host}`;
  return {
    compares: [
      revision === 0 ? { kind: "absent", key: ledger } : { kind: "revision", key: ledger, revision },
      { kind: "absent", key: `claim/${serial}` },
    ],
    writes: [
      { kind: "put", key: ledger, value: LEDGER },
      { kind: "put", key: `claim/${serial}`, value: CLAIM },
      { kind: "put", key: `audit/day/${serial}`, value: AUDIT },
    ],
  };
}

/** Each client claims on a host of its own, one after the other. */
function storeContender(store: Store, acknowledged: { count: number }): Contender {
  const revisions: number[] = [];
  return async (clients) => {
    const start = performance.now();
    const counts = await Promise.all(
      Array.from({ length: clients }, async (_, client) => {
        let count = 0;
        while (performance.now() - start < SLICE_MS) {
          const answer = await store.transact(makeClaim(client, revisions[client] ?? 0));
          if (answer.kind !== "written") throw new Error("A claim of the benchmark met a conflict");
          revisions[client] = answer.revision;
          count += 1;
        }
        return count;
      }),
    );
    const all = counts.reduce((sum, count) => sum + count, 0);
    acknowledged.count += all;
    return (all * 1000) / (performance.now() - start);
  };
}

/** The rows of the log and of the documents, one commit a group. */
function rawContender(file: string): Contender {
  const database = new DatabaseSync(file);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000");
  database.exec("CREATE TABLE log (revision INTEGER PRIMARY KEY, changes TEXT) STRICT");
  database.exec("CREATE TABLE document (key TEXT UNIQUE, value TEXT) STRICT");
  const log = database.prepare("INSERT INTO log (changes) VALUES (?)");
  const put = database.prepare("INSERT INTO document VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value");
  const changes = LEDGER + CLAIM + AUDIT;
  const write = (client: number): void => {
    serial += 1;
    put.run(`ledger/host-${client}`, LEDGER);
    put.run(`claim/${serial}`, CLAIM);
    put.run(`audit/day/${serial}`, AUDIT);
    log.run(changes);
  };
  return (clients) =>
    rate(async () => {
      database.exec("BEGIN IMMEDIATE");
      for (let client = 0; client < clients; client += 1) write(client);
      database.exec("COMMIT");
      return clients;
    });
}

/** As many bytes, appended and brought to the disk. */
function syncContender(file: string): Contender {
  const descriptor = fs.openSync(file, "w");
  const bytes = Buffer.alloc(2 * (LEDGER.length + CLAIM.length + AUDIT.length));
  return (clients) =>
    rate(async () => {
      for (let client = 0; client < clients; client += 1) fs.writeSync(descriptor, bytes);
      fs.fdatasyncSync(descriptor);
      return clients;
    });
}

async function countClaims(store: Store): Promise<number> {
  let count = 0;
  let after = "claim/";
  for (;;) {
    const page = await store.read({ key: "claim/", prefix: true, after, limit: 1000 });
    count += page.documents.length;
    after = page.documents.at(-1)?.key ?? after;
    if (!page.more) return count;
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function compare(contenders: Readonly<Record<string, Contender>>): Promise<void> {
  const cells = (name: string, values: readonly (string | number)[]): string =>
    [name.padEnd(44), ...values.map((value) => String(value).padStart(12))].join("");
  console.log(
    cells(
      "durable transactions/s",
      CLIENTS.map((clients) => `${clients} waiting`),
    ),
  );
  const rates = new Map<string, number[][]>();
  for (const clients of CLIENTS) {
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [name, contender] of Object.entries(contenders)) {
        const rows = rates.get(name) ?? CLIENTS.map(() => []);
        rows[CLIENTS.indexOf(clients)]?.push(await contender(clients));
        rates.set(name, rows);
      }
    }
  }
  for (const [name, rows] of rates) {
    console.log(
      cells(
        name,
        rows.map((row) => Math.round(median(row)).toLocaleString("en")),
      ),
    );
  }
}

const directory = fs.mkdtempSync(path.join(DIRECTORY, "berth-bench-"));
const store = await openSqliteStore({ directory: path.join(directory, "data") });
const memory = new MemoryStore(new MemoryJournal({ epoch: "here", alarm: new ManualAlarm().set }));
const acknowledged = { count: 0 };
try {
  console.log(`a transaction: 2 compares, 3 documents, ${LEDGER.length + CLAIM.length + AUDIT.length} bytes\n`);
  await compare({
    "embedded store": storeContender(store, acknowledged),
    "floor: node:sqlite, one commit a group": rawContender(path.join(directory, "raw.sqlite")),
    "floor: write and fdatasync of the bytes": syncContender(path.join(directory, "raw.bytes")),
    "store in memory (not durable)": storeContender(memory, { count: 0 }),
  });
  const found = await countClaims(store);
  console.log(`\nacknowledged ${acknowledged.count.toLocaleString("en")}, found ${found.toLocaleString("en")}`);
  if (found !== acknowledged.count) process.exitCode = 1;
} finally {
  await store.close();
  fs.rmSync(directory, { recursive: true });
}
