// SPDX-License-Identifier: Apache-2.0

import { runAgentCommand } from "./command/run-command.ts";

process.exitCode = await runAgentCommand(process.argv.slice(2), {
  write: (text) => void process.stdout.write(text),
  writeError: (text) => void process.stderr.write(text),
});
