// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  createReadStream,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { BerthError } from "@berth/core/protocol/berth-error";
import { findPrincipal, parseTokensDocument } from "@berth/server/access/tokens";
import { openSqliteStore } from "@berth/server/store/sqlite/sqlite-store";
import { runWith, type TestServer } from "../test-world.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "berth-store-files-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A file in the folder of this test. */
function at(name: string): string {
  return join(folder, name);
}

function mode(path: string): number {
  return statSync(path).mode & 0o777;
}

/** A server whose backup is these chunks, broken off by an error where one is given. */
function sending(chunks: readonly Uint8Array[], error?: Error): TestServer {
  async function* body(): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) yield await Promise.resolve(chunk);
    if (error !== undefined) throw error;
  }
  return { read: () => Promise.resolve(body()) };
}

const HEAD = Buffer.from("SQLite format 3\0rest");

describe("berth backup and restore", () => {
  it("make a store of a store, with a new epoch", async () => {
    const store = await openSqliteStore({ directory: at("live") });
    await store.transact({ compares: [], writes: [{ kind: "put", key: "p/a", value: "1" }] });
    const saved = await store.backup(at("sent"));
    await store.close();
    const read: TestServer["read"] = ({ path }) => {
      assert.equal(path, "/v1/backup");
      return Promise.resolve(createReadStream(at("sent"), { highWaterMark: 7 }));
    };
    const backup = await runWith(["backup", at("copy")], { read });
    const { size } = statSync(at("sent"));
    assert.deepEqual([backup.code, backup.written], [0, `${at("copy")}: ${size} bytes\n`]);
    assert.deepEqual(readFileSync(at("copy")), readFileSync(at("sent")));
    assert.equal(mode(at("copy")), 0o600);
    const restored = await runWith(["restore", at("copy"), "--data", at("data"), "--json"]);
    const { berth, epoch, revision } = JSON.parse(restored.written) as {
      berth: string;
      epoch: string;
      revision: number;
    };
    assert.deepEqual([restored.code, berth, revision], [0, "restore/v1", saved.revision]);
    assert.notEqual(epoch, saved.epoch);
    const again = await openSqliteStore({ directory: at("data") });
    const { documents } = await again.read({ key: "p/", prefix: true });
    assert.deepEqual([again.epoch, documents.map(({ value }) => value)], [epoch, ["1"]]);
    await again.close();
    const twice = await runWith(["restore", at("copy"), "--data", at("data")]);
    assert.match(twice.complaint, /^berth: store_exists: /);
    assert.equal(twice.code, 1);
  });

  it("overwrite no file", async () => {
    writeFileSync(at("there"), "precious");
    const ran = await runWith(["backup", at("there")], sending([HEAD]));
    assert.match(ran.complaint, /^berth: store_exists: There is a file .*there\n/);
    assert.deepEqual([ran.code, readFileSync(at("there"), "utf8")], [1, "precious"]);
    writeFileSync(at("new.part"), "another's");
    await runWith(["backup", at("new")], sending([HEAD]));
    assert.deepEqual([existsSync(at("new")), readFileSync(at("new.part"), "utf8")], [false, "another's"]);
  });

  const BROKEN: Record<string, { readonly server: TestServer; readonly complaint: RegExp }> = {
    "breaks off": {
      server: sending([HEAD], new BerthError("server_unreachable", "Cannot reach x: aborted")),
      complaint: /^berth: server_unreachable: /,
    },
    "is no store": {
      server: sending([Buffer.from("SQLite"), Buffer.from(" nothing")]),
      complaint: /^berth: server_answer_malformed: /,
    },
    "is empty": { server: sending([]), complaint: /^berth: server_answer_malformed: / },
    "ends too early": { server: sending([HEAD.subarray(0, 15)]), complaint: /^berth: server_answer_malformed: / },
    "is refused": {
      server: { read: () => Promise.reject(new BerthError("not_allowed", "A viewer may not")) },
      complaint: /^berth: not_allowed: /,
    },
  };
  for (const [name, { server, complaint }] of Object.entries(BROKEN)) {
    it(`leave nothing behind where the answer ${name}`, async () => {
      const ran = await runWith(["backup", at("copy")], server);
      assert.match(ran.complaint, complaint);
      assert.deepEqual([ran.code, ran.written, readdirSync(folder)], [1, "", []]);
    });
  }

  it("fail with a code where there is no folder, no backup and no store in it", async () => {
    assert.match((await runWith(["backup", at("none/copy")], sending([HEAD]))).complaint, /^berth: output_failed: /);
    assert.match((await runWith(["restore", at("none"), "--data", at("data")])).complaint, /^berth: file_not_found: /);
    writeFileSync(at("text"), "no store".repeat(100));
    assert.match((await runWith(["restore", at("text"), "--data", at("data")])).complaint, /^berth: store_damaged: /);
    assert.equal((await runWith(["restore", at("text")])).code, 2);
  });
});

describe("berth token", () => {
  const TOKENS = (): readonly string[] => ["--tokens", at("tokens.json")];
  const make = (name: string, secret: string) =>
    runWith(["token", "new", name, "--role", "operator", ...TOKENS()], {}, { drawSecret: () => secret });

  it("draws a token, prints it alone, and keeps its hash in a file of its own", async () => {
    const ran = await make("ann", "secret-1");
    assert.deepEqual([ran.code, ran.written], [0, "secret-1\n"]);
    assert.match(ran.complaint, /tokens\.json: ann may do what a operator may/);
    await make("bob", "secret-2");
    const text = readFileSync(at("tokens.json"), "utf8");
    assert.doesNotMatch(text, /secret/);
    assert.ok(text.includes(createHash("sha256").update("secret-1").digest("hex")));
    const list = parseTokensDocument(JSON.parse(text), "tokens");
    assert.deepEqual(findPrincipal(list, "secret-2"), { name: "bob", role: "operator" });
    assert.deepEqual([mode(at("tokens.json")), readdirSync(folder)], [0o600, ["tokens.json"]]);
  });

  it("lists names and roles, and takes one out", async () => {
    await make("ann", "secret-1");
    await make("bob", "secret-2");
    assert.equal(
      (await runWith(["token", "list", ...TOKENS()])).written,
      "NAME  ROLE\nann   operator\nbob   operator\n2 tokens\n",
    );
    const removed = await runWith(["token", "remove", "ann", ...TOKENS(), "--json"]);
    assert.deepEqual(JSON.parse(removed.written), {
      berth: "tokens/v1",
      tokens: at("tokens.json"),
      items: [{ name: "bob", role: "operator" }],
    });
    assert.doesNotMatch(removed.written, /[0-9a-f]{64}/);
  });

  it("finds the file in BERTH_TOKENS or in the data directory", async () => {
    await make("ann", "secret-1");
    const list = (env: Record<string, string>) => runWith(["token", "list"], {}, { env });
    assert.equal((await list({ BERTH_TOKENS: at("tokens.json") })).code, 0);
    assert.equal((await list({ BERTH_DATA: folder })).code, 0);
    assert.match((await list({ BERTH_DATA: folder, BERTH_TOKENS: at("none") })).complaint, /^berth: file_not_found: /);
  });

  const REFUSED: Record<
    string,
    { readonly args: readonly string[]; readonly complaint: RegExp; readonly code: number }
  > = {
    "a name that is there": {
      args: ["new", "ann", "--role", "viewer"],
      complaint: /^berth: usage_conflict: .* has a token of "ann"/,
      code: 2,
    },
    "a name that the file may not hold": {
      args: ["new", "Ann", "--role", "viewer"],
      complaint: /^berth: tokens_malformed: /,
      code: 1,
    },
    "a role that is none": { args: ["new", "bob", "--role", "root"], complaint: /^berth: usage_bad_value: /, code: 2 },
    "no role": { args: ["new", "bob"], complaint: /^berth: usage_missing_argument: /, code: 2 },
    "to take out what is not there": {
      args: ["remove", "bob"],
      complaint: /^berth: usage_bad_value: .* has no token of "bob"/,
      code: 2,
    },
    "to take out the last one": {
      args: ["remove", "ann"],
      complaint: /^berth: usage_conflict: "ann" is the last token/,
      code: 2,
    },
  };
  for (const [name, { args, complaint, code }] of Object.entries(REFUSED)) {
    it(`refuses ${name}, and leaves the file as it is`, async () => {
      await make("ann", "secret-1");
      const before = readFileSync(at("tokens.json"));
      const ran = await runWith(["token", ...args, ...TOKENS()]);
      assert.match(ran.complaint, complaint);
      assert.deepEqual([ran.code, readdirSync(folder)], [code, ["tokens.json"]]);
      assert.deepEqual(readFileSync(at("tokens.json")), before);
    });
  }

  it("waits for no other change: one that is under way is not overwritten", async () => {
    await make("ann", "secret-1");
    writeFileSync(at("tokens.json.part"), "another's");
    const ran = await make("bob", "secret-2");
    assert.match(ran.complaint, /^berth: store_exists: There is a file .*tokens\.json\.part\n/);
    assert.deepEqual([ran.written, readFileSync(at("tokens.json.part"), "utf8")], ["", "another's"]);
  });
});

describe("berth config show", () => {
  it("tells each setting with its origin, and no token", async () => {
    writeFileSync(at("token"), "very-secret\n", { mode: 0o644 });
    const env = {
      BERTH_SERVER: "https://berth.example",
      BERTH_TOKEN_FILE: at("token"),
      BERTH_DATA: "/data",
      BERTH_TOKENS: "/t.json",
    };
    const ran = await runWith(["config", "show", "--ca", "ca.pem"], {}, { env });
    assert.equal(
      ran.written.replaceAll(folder, "DIR").replaceAll(/ +/g, " "),
      `SETTING VALUE ORIGIN PROBLEM
server https://berth.example BERTH_SERVER
token DIR/token BERTH_TOKEN_FILE token_unsafe: DIR/token is not its owner's alone: mode 0644
ca ca.pem --ca
data /data BERTH_DATA
tokens /t.json BERTH_TOKENS
`,
    );
    assert.deepEqual([ran.code, ran.connections], [0, []]);
  });

  it("does not show a token of the environment, and says what is not set", async () => {
    const ran = await runWith(["config", "show", "--json"], {}, { env: { BERTH_TOKEN: "very-secret" }, isRoot: true });
    assert.deepEqual(JSON.parse(ran.written), {
      berth: "config/v1",
      settings: [
        { name: "server", value: "http://127.0.0.1:7411", origin: "default" },
        { name: "token", value: "(set, not shown)", origin: "BERTH_TOKEN" },
        { name: "ca", value: null, origin: "not set: those of the system" },
        { name: "data", value: "/var/lib/berth", origin: "default" },
        { name: "tokens", value: "/var/lib/berth/tokens.json", origin: "data directory (default)" },
      ],
    });
  });
});
