// SPDX-License-Identifier: Apache-2.0

import { stderr, stdout } from "node:process";
import { BerthError } from "@berth/core/protocol/berth-error";
import { EXIT } from "./exit-code.ts";
import { formatFailure, runCommand } from "./program.ts";

let lost = false;
let gone = false;

/** A reader that has had enough, such as head, fails nothing. Anything else lost the answer, and the exit code says so. */
function noteLost(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") gone = true;
  if (gone || lost) return;
  lost = true;
  const facts = { place: "standard output", expected: "a file or terminal that takes the whole answer", cause: error };
  stderr.write(formatFailure(new BerthError("output_failed", `Cannot write the answer: ${error.message}`, facts)));
}

stdout.on("error", noteLost);
// Where a complaint cannot be written, there is nobody left to complain to.
stderr.on("error", () => undefined);
process.on("exit", () => {
  if (lost) process.exitCode = EXIT.failed;
});

process.exitCode = await runCommand(process.argv.slice(2), {
  write: (text) => void stdout.write(text),
  writeError: (text) => void stderr.write(text),
  isGone: () => gone || lost,
});
