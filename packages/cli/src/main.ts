// SPDX-License-Identifier: Apache-2.0

import { stderr, stdout } from "node:process";
import { runCommand } from "./program.ts";

process.exitCode = await runCommand(process.argv.slice(2), {
  write: (text) => void stdout.write(text),
  writeError: (text) => void stderr.write(text),
});
