// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { readHost } from "@berth/agent/discovery/read-host";
import { openDirectoryTree } from "@berth/agent/host/directory-tree";
import type { SysfsTree } from "@berth/agent/host/sysfs-tree";

// What `berth host` costs on captured hosts, against the floor: reading the very same files with readFileSync and no
// thought. Which files those are is recorded from one look. Both run in turns in one process, and then as processes of
// their own, from start to end; the floor's loads nothing but Node's own modules.

const READ = `
import { readHost } from "@berth/agent/discovery/read-host";
import { openRoot } from "@berth/agent/host/open-root";
readHost(openRoot(process.argv[1]), "bench");
`;
const FLOOR = `
import { readFileSync } from "node:fs";
for (const file of JSON.parse(readFileSync(process.argv[1] + "/files.json", "utf8"))) readFileSync(file, "utf8");
`;
const FIXTURES = path.join(import.meta.dirname, "../fixtures/sysfs");
const ROUNDS = 300;
const STARTS = 15;

/** Paths of the files whose content discovery takes in, with the reads of each. */
function recordReads(root: string): readonly string[] {
  const tree = openDirectoryTree(root);
  const paths: string[] = [];
  const note = (at: string, kind: string): void => {
    const real = tree.resolve(at);
    if ((kind === "text" || kind === "bytes") && real.kind === "path") paths.push(path.join(root, real.path));
  };
  const recording: SysfsTree = {
    list: (at) => tree.list(at),
    resolve: (at) => tree.resolve(at),
    read: (at, maxBytes) => {
      const read = tree.read(at, maxBytes);
      note(at, read.kind);
      return read;
    },
    readBytes: (at, maxBytes) => {
      const read = tree.readBytes(at, maxBytes);
      note(at, read.kind);
      return read;
    },
  };
  readHost(recording, "bench");
  return paths;
}

function readFloor(files: readonly string[]): void {
  for (const file of files) fs.readFileSync(file, "utf8");
}

function timeUs(action: () => unknown): number {
  const start = process.hrtime.bigint();
  action();
  return Number(process.hrtime.bigint() - start) / 1000;
}

function quantile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function printRow(cells: readonly (string | number)[]): void {
  console.log(cells.map((cell, index) => (index === 0 ? String(cell).padEnd(40) : String(cell).padStart(11))).join(""));
}

/** Both in turns, so that a busy machine is busy for both. */
function compareWarm(name: string, root: string): void {
  const files = recordReads(root);
  const read: number[] = [];
  const floor: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    read.push(timeUs(() => readHost(openDirectoryTree(root), "bench")));
    floor.push(timeUs(() => readFloor(files)));
  }
  const cells = [read, floor].flatMap((times) =>
    [0, 0.5, 0.99].map((share) => `${quantile(times, share).toFixed(0)} us`),
  );
  const ratios = [0, 0.5].map((share) => (quantile(read, share) / quantile(floor, share)).toFixed(2));
  printRow([name, files.length, ...cells, ...ratios]);
}

/** The same from the start of a process to its end. */
function compareStarts(name: string, root: string): void {
  const list = path.join(root, "files.json");
  fs.writeFileSync(list, JSON.stringify(recordReads(root)));
  // The compile cache is what the launcher turns on; the first start fills it.
  const env = { ...process.env, NODE_COMPILE_CACHE: path.join(root, "compile-cache") };
  const args = ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e"];
  const run = (script: string): number =>
    timeUs(() => execFileSync(process.execPath, [...args, script, root], { cwd: import.meta.dirname, env })) / 1000;
  run(READ);
  const times = Array.from({ length: STARTS }, () => ({ read: run(READ), floor: run(FLOOR) }));
  const [ours, theirs] = [times.map(({ read }) => read), times.map(({ floor }) => floor)];
  const cells = [ours, theirs].flatMap((all) => [
    ...[0, 0.5].map((share) => `${quantile(all, share).toFixed(0)} ms`),
    "",
  ]);
  const ratios = [0, 0.5].map((share) => (quantile(ours, share) / quantile(theirs, share)).toFixed(2));
  printRow([`  ${name}, with start`, "", ...cells, ...ratios]);
}

function runAll(): void {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "berth-bench-host-"));
  try {
    printRow(["host", "files", "read best", "p50", "p99", "floor best", "p50", "p99", "ratio best", "ratio p50"]);
    for (const archive of fs.readdirSync(FIXTURES).filter((file) => file.endsWith(".tgz"))) {
      const root = path.join(scratch, archive.replace(".tgz", ""));
      fs.mkdirSync(root);
      execFileSync("tar", ["-xzf", path.join(FIXTURES, archive), "-C", root]);
      compareWarm(path.basename(root), root);
      compareStarts(path.basename(root), root);
    }
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

runAll();
