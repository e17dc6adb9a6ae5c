// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from "node:child_process";
import { listFiles } from "./repository-files.ts";

// `npm run golden [PART-OF-A-PATH...]` lets every `x.golden.test.ts` write what it would compare, and shows what changed.
const parts = process.argv.slice(2);
const files = listFiles(process.cwd()).filter(
  (file) => file.endsWith(".golden.test.ts") && (parts.length === 0 || parts.some((part) => file.includes(part))),
);
if (files.length === 0) {
  console.error("No golden test (x.golden.test.ts) was found");
  process.exitCode = 1;
} else {
  const env = { ...process.env, BERTH_GOLDEN: "write" };
  const { status } = spawnSync(process.execPath, ["--test", ...files], {
    env,
    stdio: ["ignore", "inherit", "inherit"],
  });
  process.exitCode = status ?? 1;
  spawnSync("git", ["--no-pager", "diff", "--stat"], { stdio: ["ignore", "inherit", "inherit"] });
  spawnSync("git", ["status", "--short"], { stdio: ["ignore", "inherit", "inherit"] });
}
