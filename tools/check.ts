// SPDX-License-Identifier: Apache-2.0

import { checkCodes } from "./check-codes.ts";
import { checkDocs } from "./check-docs.ts";
import { checkLayers } from "./check-layers.ts";
import { checkLock } from "./check-lock.ts";
import { checkSizes } from "./check-sizes.ts";
import { compareFindings, formatFinding } from "./finding.ts";
import type { CheckReport } from "./finding.ts";

const CHECKS = new Map<string, (root: string) => CheckReport | Promise<CheckReport>>([
  ["layers", checkLayers],
  ["sizes", checkSizes],
  ["docs", checkDocs],
  ["codes", checkCodes],
  ["lock", checkLock],
]);

// `node tools/check.ts NAME...` runs the named checks on the working directory; exit code 1 when one found something.
for (const name of process.argv.slice(2)) {
  const check = CHECKS.get(name);
  if (check === undefined)
    throw new RangeError(`Unknown check "${name}", expected one of ${[...CHECKS.keys()].join(", ")}`);
  const { findings, notes } = await check(process.cwd());
  for (const note of notes) console.log(`${name}: ${note}`);
  for (const finding of findings.toSorted(compareFindings)) console.log(formatFinding(finding));
  if (findings.length > 0) process.exitCode = 1;
}
