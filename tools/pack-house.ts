// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawnSync, type SpawnSyncOptions } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readUnit, startService, type Service, type Unit } from "./unit-service.ts";

export const HERE: string = join(import.meta.dirname, "..");

/** User and group `nobody`: whom a unit with a user of its own runs as here. */
const NOBODY = 65_534;
const PATIENCE_MS = 30_000;

/** A machine of a test: a folder that stands for `/`, where commands of a document are run as they are printed. */
export interface House {
  /** Holds `dist/`. */
  readonly packed: string;
  /** An operator's working directory. */
  readonly desk: string;
  /** The host's own file system; empty at first. */
  readonly tree: string;
  /** Runs a shell text with every path of the system below the house; throws where it fails. */
  shell(text: string, how?: { readonly cwd?: string; readonly input?: string }): string;
  /** The same with the settings of an operator; the output has to match. */
  operator(text: string, expected?: RegExp): string;
  /** Tries again while a task throws. */
  patiently(task: () => string): Promise<string>;
  /** Starts what a unit says, and waits until it has said that it is ready. */
  startUnit(name: string, ready: RegExp): Promise<Service>;
  /** Starts a program by its name, as one types it. */
  start(command: readonly string[], ready: RegExp): Promise<Service>;
  close(): void;
}

/** Where a Node of the system is; the agent is to run on what distributions ship. */
const SYSTEM_NODE = "/usr/bin/node";
const AGENT_NODE_MIN = 20;

/** The system's Node where it is new enough for the agent, else the one that runs this. */
export function findAgentNode(): string {
  return majorOf(SYSTEM_NODE) >= AGENT_NODE_MIN ? SYSTEM_NODE : process.execPath;
}

/** The major version of a Node; 0 where there is none. */
export function majorOf(node: string): number {
  const { status, stdout } = spawnSync(node, ["--version"], { encoding: "utf8" });
  return status === 0 ? Number(/^v(\d+)/.exec(stdout)?.[1] ?? 0) : 0;
}

export const OPERATIONS: string = readFileSync(join(HERE, "docs/operations.md"), "utf8");

/** The shell blocks below a heading of docs/operations.md, in its order. */
export function blocksOf(heading: string): readonly string[] {
  const section = OPERATIONS.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  assert.ok(section, `docs/operations.md has no heading ${heading}`);
  return [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text);
}

/** Packs the programs and makes a house around them, where the agent finds a Node of its own. */
export async function startHouse(agentNode: string): Promise<House> {
  const root = mkdtempSync(join(tmpdir(), "berth-house-"));
  const at = (path: string): string => join(root, path);
  furnish(root, agentNode);
  const env = {
    PATH: `${at("stubs")}:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOME: at("root"),
    BERTH_DATA: at("var/lib/berth"),
    BERTH_AGENT_STATE: at("var/lib/berth-agent"),
    BERTH_AGENT_ROOT: at("host"),
  };
  const place = makePlacing(root, await findPort());
  // A document pastes into /dev/stdin, which has to be a pipe or a terminal.
  const shell: House["shell"] = (text, { cwd = at("desk"), input = "" } = {}) =>
    run("sh", ["-c", 'cat | sh -euc "$0"', place(text)], { cwd, input, env });
  const services: Service[] = [];
  const keep = async (starting: Promise<Service>): Promise<Service> => {
    const service = await starting;
    services.push(service);
    return service;
  };
  return {
    packed: at("packed"),
    desk: at("desk"),
    tree: at("host"),
    shell,
    operator: (text, expected = /^/) => {
      const settings = `export BERTH_SERVER=https://berth.example:7411 BERTH_CA=ca.pem BERTH_TOKEN_FILE=~/.berth-token`;
      const output = shell(`${settings}\n${text}`);
      assert.match(output, expected);
      return output;
    },
    patiently: tryPatiently,
    startUnit: (name, ready) => {
      const unit = readUnit(at(`etc/systemd/system/${name}.service`), place);
      const path = `${at(name === "berth-agent" ? "agent-node" : "node")}:/usr/bin:/bin`;
      const surroundings = { cwd: root, env: { ...env, ...unit.environment, PATH: path }, ...admitUser(unit, root) };
      return keep(startService(unit.command, surroundings, ready));
    },
    start: ([name = "", ...args], ready) =>
      keep(startService([at(`stubs/${name}`), ...args], { cwd: at("desk"), env }, ready)),
    close: () => {
      for (const service of services) service.signal("SIGKILL");
      rmSync(root, { recursive: true, maxRetries: 5 });
    },
  };
}

/** Makes the directories of a unit, and answers the user to run it as, where root may choose one. */
function admitUser({ user, stateDirectories }: Unit, root: string): { readonly user?: number } {
  const isOther = user !== undefined && process.getuid?.() === 0;
  for (const state of stateDirectories.map((one) => join(root, "var/lib", one))) {
    mkdirSync(state, { recursive: true, mode: 0o700 });
    if (isOther) chownSync(state, NOBODY, NOBODY);
  }
  return isOther ? { user: NOBODY } : {};
}

const FOLDERS = "desk host usr/lib usr/bin etc/systemd/system var/lib srv root stubs agent-node node packed".split(" ");

function furnish(root: string, agentNode: string): void {
  const at = (path: string): string => join(root, path);
  checkAlone(root);
  // Units with a user of their own have to come in.
  chmodSync(root, 0o755);
  for (const path of FOLDERS) mkdirSync(at(path), { recursive: true });
  symlinkSync(process.execPath, at("node/node"));
  symlinkSync(agentNode, at("agent-node/node"));
  const stubs = {
    systemctl: "",
    useradd: "",
    // Each program finds the Node that it is to run on, and no other.
    berth: `PATH=${at("node")}:$PATH exec ${at("usr/bin/berth")} "$@"`,
    "berth-agent": `PATH=${at("agent-node")}:$PATH exec ${at("usr/bin/berth-agent")} "$@"`,
  };
  for (const [name, text] of Object.entries(stubs)) {
    writeFileSync(at(`stubs/${name}`), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
  run(process.execPath, [join(HERE, "tools/pack.ts"), at("packed/dist")], { cwd: HERE });
}

/** Nothing of this checkout may be found from the house. */
function checkAlone(root: string): void {
  for (let folder = root; folder !== "/"; folder = dirname(folder)) {
    assert.ok(!existsSync(join(folder, "node_modules")), `${folder} holds node_modules`);
  }
}

/** What a document prints of a machine, as it is in the house: paths, the server's name and address, its user. */
function makePlacing(root: string, port: number): (text: string) => string {
  const user = process.getuid?.() === 0 ? NOBODY : process.getuid?.();
  const paths = /(?<![\w.~-])\/(usr\/lib\/berth|usr\/bin|etc\/berth|etc\/systemd|var\/lib|srv|root)(?!\w)/g;
  return (text) =>
    text
      .replaceAll(paths, `${root}/$1`)
      .replaceAll("0.0.0.0:7411", `127.0.0.1:${port}`)
      .replaceAll("berth.example:7411", `localhost:${port}`)
      .replaceAll("berth.example", "localhost")
      .replaceAll("-o berth -g berth", `-o ${user} -g ${user}`)
      .replaceAll("berth:berth", `${user}:${user}`);
}

async function tryPatiently(task: () => string): Promise<string> {
  for (const end = Date.now() + PATIENCE_MS; ; await sleep(100)) {
    try {
      return task();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

function run(command: string, args: readonly string[], options: SpawnSyncOptions): string {
  const ran = spawnSync(command, args, { ...options, encoding: "utf8", timeout: 120_000 });
  assert.equal(ran.status, 0, `${args.at(-1)}\n${String(ran.stdout)}\n${String(ran.stderr)}`);
  return String(ran.stdout);
}

async function findPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => {
    server.once("listening", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}
