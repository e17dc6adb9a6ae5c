// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { worldOfProcess, type World } from "../world.ts";
import { findConnection, type ConnectionOptions } from "./connection.ts";

const folder = mkdtempSync(join(tmpdir(), "berth-connection-"));
after(() => rmSync(folder, { recursive: true }));

/** A file of that mode that holds a token. */
function tokenFile(name: string, token: string, mode: number): string {
  const path = join(folder, name);
  writeFileSync(path, `${token}\n`);
  chmodSync(path, mode);
  return path;
}

const OPTION_FILE = tokenFile("option", "of-the-option", 0o600);
const VARIABLE_FILE = tokenFile("variable", "of-the-variable", 0o400);
const DATA = join(folder, "data");
mkdirSync(DATA);
tokenFile("data/admin.token", "of-the-administrator", 0o600);
const HOME = join(folder, "home");
mkdirSync(join(HOME, ".local/share/berth"), { recursive: true });
tokenFile("home/.local/share/berth/admin.token", "of-the-home", 0o600);

interface Case {
  readonly options?: ConnectionOptions;
  readonly env?: World["env"];
  readonly homeDirectory?: string;
}

function connect({ options = {}, env = {}, homeDirectory = "/nowhere" }: Case): object {
  const { url, ...rest } = findConnection(options, { ...worldOfProcess(), env, homeDirectory, isRoot: false });
  return { url: url.href, ...rest };
}

const LOCAL = "http://127.0.0.1:7411/";
const NAMED = "https://berth.example/";

const FOUND: Record<string, Case & { readonly found: object }> = {
  "asks this machine, without a token, where nothing is said": { found: { url: LOCAL } },
  "takes an empty variable for none": {
    env: { BERTH_SERVER: "", BERTH_TOKEN: "", BERTH_CA: "" },
    found: { url: LOCAL },
  },
  "takes BERTH_SERVER": { env: { BERTH_SERVER: NAMED }, found: { url: NAMED } },
  "takes --server before BERTH_SERVER": {
    options: { server: "http://[::1]:1/b/" },
    env: { BERTH_SERVER: NAMED },
    found: { url: "http://[::1]:1/b/" },
  },
  "takes --token-file before all else": {
    options: { tokenFile: OPTION_FILE },
    env: { BERTH_TOKEN: "x", BERTH_TOKEN_FILE: VARIABLE_FILE, BERTH_DATA: DATA },
    found: { url: LOCAL, token: "of-the-option" },
  },
  "takes BERTH_TOKEN before BERTH_TOKEN_FILE": {
    env: { BERTH_TOKEN: "x", BERTH_TOKEN_FILE: VARIABLE_FILE, BERTH_DATA: DATA },
    found: { url: LOCAL, token: "x" },
  },
  "takes BERTH_TOKEN_FILE before the administrator's": {
    env: { BERTH_TOKEN_FILE: VARIABLE_FILE, BERTH_DATA: DATA },
    found: { url: LOCAL, token: "of-the-variable" },
  },
  "takes the administrator's token of BERTH_DATA": {
    env: { BERTH_DATA: DATA },
    homeDirectory: HOME,
    found: { url: LOCAL, token: "of-the-administrator" },
  },
  "takes the administrator's token of the user's own data directory": {
    homeDirectory: HOME,
    found: { url: LOCAL, token: "of-the-home" },
  },
  "sends the administrator's token to no server that was named": {
    options: { server: NAMED },
    env: { BERTH_DATA: DATA },
    found: { url: NAMED },
  },
  "nor to one of BERTH_SERVER": {
    env: { BERTH_DATA: DATA, BERTH_SERVER: "http://127.0.0.1:1" },
    found: { url: "http://127.0.0.1:1/" },
  },
  "takes --ca before BERTH_CA": {
    options: { server: NAMED, ca: "a.pem" },
    env: { BERTH_CA: "b.pem" },
    found: { url: NAMED, ca: "a.pem" },
  },
  "takes BERTH_CA": { options: { server: NAMED }, env: { BERTH_CA: "b.pem" }, found: { url: NAMED, ca: "b.pem" } },
};

const REFUSED: Record<string, Case & { readonly code: string; readonly message: RegExp }> = {
  "a token file that its group can read": {
    options: { tokenFile: tokenFile("group", "t", 0o640) },
    code: "token_unsafe",
    message: /group is not its owner's alone: mode 0640/,
  },
  "a token file that others can read": {
    env: { BERTH_TOKEN_FILE: tokenFile("others", "t", 0o604) },
    code: "token_unsafe",
    message: /mode 0604/,
  },
  "a token file that others can write": {
    options: { tokenFile: tokenFile("written", "t", 0o602) },
    code: "token_unsafe",
    message: /mode 0602/,
  },
  "a token file that is not there": {
    options: { tokenFile: join(folder, "none") },
    code: "file_not_found",
    message: /none/,
  },
  "a token file of two lines": {
    options: { tokenFile: tokenFile("two", "a\nb", 0o600) },
    code: "usage_bad_value",
    message: /two holds no token$/,
  },
  "an empty token file": {
    options: { tokenFile: tokenFile("empty", "", 0o600) },
    code: "usage_bad_value",
    message: /no token/,
  },
  "a token that no header can carry": {
    env: { BERTH_TOKEN: "a b" },
    code: "usage_bad_value",
    message: /^BERTH_TOKEN holds no token$/,
  },
  "a token in the clear to another machine": {
    options: { server: "http://berth.example" },
    env: { BERTH_TOKEN: "secret" },
    code: "usage_bad_value",
    message: /^A token would travel to berth.example in the clear$/,
  },
  "a server that is no URL": {
    env: { BERTH_SERVER: "berth" },
    code: "usage_bad_value",
    message: /^Cannot read BERTH_SERVER "berth"$/,
  },
  "another scheme": {
    options: { server: "ftp://x" },
    code: "usage_bad_value",
    message: /^Cannot read --server "ftp:\/\/x"$/,
  },
  "a URL with a password": { options: { server: "http://u:p@x" }, code: "usage_bad_value", message: /--server/ },
  "a URL with a query": { options: { server: "http://x/?a" }, code: "usage_bad_value", message: /--server/ },
};

describe("findConnection()", () => {
  for (const [name, { found, ...asked }] of Object.entries(FOUND)) {
    it(name, () => assert.deepEqual(connect(asked), found));
  }
  for (const [name, { code, message, ...asked }] of Object.entries(REFUSED)) {
    it(`refuses ${name}`, () => {
      assert.throws(() => connect(asked), { code, message });
    });
  }
});
