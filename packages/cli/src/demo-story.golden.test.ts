// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "node:test";
import { runDemo } from "./serve/run-demo.ts";
import { worldOfProcess } from "./world.ts";

/** The story of `berth demo --once`, told by a real server, store and agents. Ids and times are replaced by equally long ones. */
const FILE = fileURLToPath(new URL("../../../scenarios/served/demo-once.txt", import.meta.url));
const REWRITE = process.env["BERTH_GOLDEN"] === "write";

async function tellStory(temporary: string): Promise<string> {
  const written: string[] = [];
  // What agents log meanwhile comes when it comes.
  const output = { write: (text: string): void => void written.push(text), writeError: (): void => undefined };
  const world = { ...worldOfProcess(), env: {} };
  await runDemo(
    { once: true, listen: { host: "127.0.0.1", port: 0 }, temporary },
    { output, world, finish: () => undefined },
  );
  return settle(written.join(""));
}

/** The same story on every run: drawn names are numbered in the order in which they are met. */
function settle(text: string): string {
  const number = (pattern: RegExp, name: (count: string) => string) => {
    const met = new Map<string, string>();
    return (story: string): string =>
      story.replaceAll(pattern, (drawn) => {
        const known = met.get(drawn) ?? name(String(met.size + 1));
        met.set(drawn, known);
        return known;
      });
  };
  const claims = number(/\b01[0-9a-hjkmnp-tv-z]{24}\b/g, (count) => `claim-${count.padStart(20, "0")}`);
  const devices = number(
    /\b(?!5eed0000|aaaaaaaa)[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b/g,
    (count) => `dddddddd-0000-4000-8000-${count.padStart(12, "0")}`,
  );
  return devices(claims(text)).replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, "2020-09-09 12:00:00Z");
}

describe("berth demo --once", () => {
  const noColor = process.env["NO_COLOR"];
  const folder = mkdtempSync(join(tmpdir(), "berth-story-"));
  before(() => {
    process.env["NO_COLOR"] = "1";
  });
  after(() => {
    rmSync(folder, { recursive: true });
    if (noColor === undefined) delete process.env["NO_COLOR"];
    else process.env["NO_COLOR"] = noColor;
  });

  it("tells its story, and leaves nothing behind", async () => {
    const told = await tellStory(folder);
    if (REWRITE) writeFileSync(FILE, told);
    else assert.equal(told, existsSync(FILE) ? readFileSync(FILE, "utf8") : "", "npm run golden shows the difference");
    assert.deepEqual(readdirSync(folder), []);
  });
});
