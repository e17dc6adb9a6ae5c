// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { readText } from "./repository-files.ts";
import type { Outcome } from "./tally.ts";

/**
 * Runs a script of package.json as one check, with this very Node in front of every other. Its output is kept for the
 * failure; lines that begin with `NAME: ` are notes and printed in any case.
 */
export async function runScript(root: string, name: string): Promise<{ outcome: Outcome; notes: string[] }> {
  const command = findScript(root, name);
  const began = Date.now();
  const path = [dirname(process.execPath), join(root, "node_modules/.bin"), process.env["PATH"] ?? ""].join(":");
  const child = spawn("sh", ["-c", command], {
    cwd: root,
    env: { ...process.env, PATH: path },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
  }
  const failure = await new Promise<string | undefined>((settle) => {
    child.on("error", (error) => settle(error.message));
    child.on("close", (code, signal) => settle(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
  });
  // Some tools take continuous integration for a terminal with colours.
  const plain = stripVTControlCharacters(printed);
  const why = failure === undefined ? "" : `${plain}${command}: ${failure}`;
  const kind = failure === undefined ? "passed" : "failed";
  const notes = failure === undefined ? plain.split("\n").filter((line) => line.startsWith(`${name}: `)) : [];
  return { outcome: { kind, file: name, path: [], why, ms: Date.now() - began }, notes };
}

function findScript(root: string, name: string): string {
  const manifest = JSON.parse(readText(root, "package.json")) as {
    readonly scripts?: Readonly<Record<string, string>>;
  };
  const command = manifest.scripts?.[name];
  if (command === undefined) throw new RangeError(`Unknown script "${name}", package.json has none of that name`);
  return command;
}
