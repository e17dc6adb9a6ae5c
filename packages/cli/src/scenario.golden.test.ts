// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "node:test";
import { explainFailure } from "./connect/http-transport.ts";
import { linkOver } from "./connect/server-link.ts";
import { runCommand } from "./program.ts";
import { worldOfProcess, type World } from "./world.ts";

/**
 * Stories: each `scenarios/*.txt` holds commands after `$ `, what they print, and how they exit. `npm run golden`
 * rewrites the expected text and shows the difference.
 */
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const FOLDER = `${ROOT}scenarios/`;
const REWRITE = process.env["BERTH_GOLDEN"] === "write";

/** A machine on which nothing is set and no server runs, whatever this one has. */
const WORLD: World = {
  ...worldOfProcess(),
  env: {},
  homeDirectory: "/nowhere",
  isRoot: false,
  openServer: (connection) => {
    const refused = Object.assign(new Error(`connect ECONNREFUSED ${connection.url.host}`), { code: "ECONNREFUSED" });
    return linkOver(() => Promise.reject(explainFailure(refused, connection.url.origin)), connection);
  },
};

/** Runs every command of a story and answers the story as it should be written. */
async function tellStory(story: string): Promise<string> {
  const told: string[] = [];
  for (const block of story.split(/^(?=\$ )/m)) {
    if (!block.startsWith("$ ")) {
      told.push(block);
      continue;
    }
    const [command = ""] = block.split("\n", 1);
    // A comment that ends a block introduces the next one.
    const comment = /\n(?:#[^\n]*\n)+$/.exec(block)?.[0] ?? "\n";
    told.push(`${command}\n${await runLine(command.slice(2))}${comment}`);
  }
  return told.join("");
}

async function runLine(command: string): Promise<string> {
  const [program, ...args] = splitWords(command);
  assert.equal(program, "berth", `a story runs berth only, got ${command}`);
  const written: string[] = [];
  const write = (text: string): void => void written.push(text);
  const code = await runCommand(args, { write, writeError: write }, WORLD);
  return `${written.join("").trimEnd()}\n[exit ${code}]\n`;
}

/** Words of a command line; single quotes keep blanks. */
function splitWords(command: string): readonly string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "");
}

describe("stories", () => {
  const cwd = process.cwd();
  const noColor = process.env["NO_COLOR"];
  before(() => {
    process.chdir(ROOT);
    process.env["NO_COLOR"] = "1";
  });
  after(() => {
    process.chdir(cwd);
    if (noColor === undefined) delete process.env["NO_COLOR"];
    else process.env["NO_COLOR"] = noColor;
  });
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".txt"));
  it("are there", () => assert.ok(names.length > 0));
  for (const name of names.toSorted()) {
    it(name, async () => {
      const written = readFileSync(FOLDER + name, "utf8");
      const told = await tellStory(written);
      if (REWRITE) writeFileSync(FOLDER + name, told);
      else assert.equal(told, written, `${name} tells another story; npm run golden shows the difference`);
    });
  }
});
