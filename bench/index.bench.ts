// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { measureFleet, type Figures } from "./index-figures.ts";

// Measures the inventory index beside an exhaustive search, at three fleet sizes, each in a process of its own so that
// memory is that of one index. `node bench/index.bench.ts [HOSTS...]`. Exit code 1 when an answer differs from the
// exhaustive one; figures that miss their aim are marked and do not fail, because a busy machine misses them too.

const SIZES = [1_000, 10_000, 100_000];

/** What the index is to reach at 100,000 hosts. */
const AIMS: Readonly<Record<string, number>> = {
  "build, s": 2,
  "memory above the bare process, MB": 200,
  "add a place, us": 5,
  "remove a place, us": 5,
  "change a place, us": 5,
  "ten best, p50 us": 15,
  "ten best, p99 us": 300,
  "why not elsewhere, p99 ms": 20,
};

function run(): number {
  if (process.argv[2] === "--measure") {
    console.log(JSON.stringify(measureFleet(Number(process.argv[3]))));
    return 0;
  }
  const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : SIZES;
  if (!sizes.every((size) => Number.isInteger(size) && size >= 100)) {
    console.error("usage: node bench/index.bench.ts [HOSTS...]  (each at least 100)");
    return 2;
  }
  const columns: Figures[] = [];
  for (const size of sizes) {
    console.error(`measuring ${size} hosts ...`);
    const figures = measureApart(size);
    if (figures === undefined) return 1;
    columns.push(figures);
  }
  printTable(columns);
  const differing = columns.reduce((sum, figures) => sum + figures.differing, 0);
  if (differing === 0) return 0;
  console.error(`${differing} answers differ from the exhaustive search`);
  return 1;
}

function measureApart(size: number): Figures | undefined {
  const args = ["--expose-gc", fileURLToPath(import.meta.url), "--measure", String(size)];
  const child = spawnSync(process.execPath, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  return child.status === 0 ? (JSON.parse(child.stdout) as Figures) : undefined;
}

function printTable(columns: readonly Figures[]): void {
  const names = Object.keys(columns[0]?.rows ?? {});
  const width = Math.max(...names.map((name) => name.length));
  for (const name of names) {
    const aim = AIMS[name];
    const cells = columns.map(({ rows }) => format(rows[name] ?? Number.NaN).padStart(12));
    const last = columns.at(-1)?.rows[name] ?? Number.NaN;
    const verdict = aim === undefined ? "" : `   aim ${aim}${last <= aim ? "" : "  MISSED"}`;
    console.log(`${name.padEnd(width)}${cells.join("")}${verdict}`);
  }
}

function format(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

process.exitCode = run();
