// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from "node:child_process";
import { listFiles } from "./repository-files.ts";

// `npm run bench [-- ARGS...]` runs bench/*.bench.ts one after the other, each in a process of its own with these
// arguments. Node's garbage collector is exposed, so that memory can be measured.
const files = listFiles(process.cwd(), "bench").filter((file) => /^bench\/[^/]+\.bench\.ts$/.test(file));
if (files.length === 0) {
  console.error("No benchmark (bench/x.bench.ts) was found");
  process.exitCode = 1;
}
for (const file of files) {
  console.log(`\n== ${file}`);
  const args = ["--expose-gc", "--disable-warning=ExperimentalWarning", file, ...process.argv.slice(2)];
  const { status } = spawnSync(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) process.exitCode = status ?? 1;
}
