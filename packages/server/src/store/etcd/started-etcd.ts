// SPDX-License-Identifier: Apache-2.0

import type { ChildProcess } from "node:child_process";
import { execFile, spawn } from "node:child_process";
import { mkdtemp, mkdir, open, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Where the program is, or why there is none. */
export type EtcdProgram =
  { readonly kind: "found"; readonly path: string } | { readonly kind: "missing"; readonly reason: string };

/**
 * Finds etcd for tests: on the path, else unpacked from Debian's package. The package is not installed: installing would
 * start a service.
 */
export async function findEtcd(): Promise<EtcdProgram> {
  if (await answers("etcd")) return { kind: "found", path: "etcd" };
  const folder = join(tmpdir(), `berth-etcd-${process.getuid?.() ?? 0}`);
  const path = join(folder, "usr/bin/etcd");
  if (await answers(path)) return { kind: "found", path };
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await run("apt-get", ["download", "etcd-server"], { cwd: folder }).catch(async () => {
      await run("apt-get", ["update"]);
      await run("apt-get", ["download", "etcd-server"], { cwd: folder });
    });
    await run("sh", ["-c", "dpkg-deb -x ./etcd-server_*.deb ."], { cwd: folder });
  } catch (error) {
    const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    return { kind: "missing", reason: `no etcd on the path, and none from Debian's packages: ${why}` };
  }
  if (await answers(path)) return { kind: "found", path };
  return { kind: "missing", reason: "the etcd of Debian's package does not run here" };
}

async function answers(path: string): Promise<boolean> {
  return await run(path, ["--version"]).then(
    () => true,
    () => false,
  );
}

/** One member that a test started. */
export interface StartedMember {
  readonly endpoint: string;
  /** kill -9; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again on its own data. */
  start(): Promise<void>;
  /** Stops it in its tracks (SIGSTOP), connections left open; `thaw` goes on. */
  freeze(): void;
  thaw(): void;
}

export interface StartedEtcd {
  readonly members: readonly StartedMember[];
  readonly endpoints: readonly string[];
  /** Ends every process and removes the data. */
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly path: string;
  readonly count: number;
  /** More options for each member. */
  readonly flags?: readonly string[];
  readonly scheme?: "http" | "https";
}

/** Starts a cluster of its own on free loopback ports, with its data in a folder of its own. */
export async function startEtcd({ path, count, flags = [], scheme = "http" }: StartOptions): Promise<StartedEtcd> {
  // A run that is cut off ends by a signal, and then without `exit`, on which members are ended.
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    if (process.listenerCount(signal) === 0) process.once(signal, () => process.exit(1));
  }
  const folder = await mkdtemp(join(tmpdir(), "berth-etcd-test-"));
  const ports = await findFreePorts(count * 2);
  const plans = Array.from({ length: count }, (_, at) => ({
    name: `m${at}`,
    endpoint: `${scheme}://127.0.0.1:${ports[at * 2] ?? 0}`,
    peer: `http://127.0.0.1:${ports[at * 2 + 1] ?? 0}`,
  }));
  const cluster = plans.map(({ name, peer }) => `${name}=${peer}`).join(",");
  const members = plans.map(({ name, endpoint, peer }) => {
    const urls = ["--listen-client-urls", endpoint, "--advertise-client-urls", endpoint];
    const peers = ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", cluster];
    const own = ["--name", name, "--data-dir", join(folder, name), "--initial-cluster-token", folder];
    const args = [...own, ...urls, ...peers, "--logger", "zap", "--log-outputs", "stderr", ...flags];
    return plantMember(path, { endpoint, args, log: join(folder, `${name}.log`) });
  });
  await Promise.all(members.map(async (member) => await member.start()));
  return {
    members,
    endpoints: members.map(({ endpoint }) => endpoint),
    stop: async () => {
      await Promise.all(members.map(async (member) => await member.kill()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface MemberPlan {
  readonly endpoint: string;
  readonly args: readonly string[];
  readonly log: string;
}

function plantMember(path: string, { endpoint, args, log }: MemberPlan): StartedMember {
  let child: ChildProcess | undefined;
  const end = (): void => void child?.kill("SIGKILL");
  return {
    endpoint,
    kill: async () => {
      process.off("exit", end);
      const ending = child;
      child = undefined;
      if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
      const gone = new Promise((resolve) => ending.once("exit", resolve));
      ending.kill("SIGKILL");
      await gone;
    },
    start: async () => {
      const file = await open(log, "a");
      child = spawn(path, [...args], { stdio: ["ignore", file.fd, file.fd] });
      await file.close();
      process.on("exit", end);
      await waitForPort(Number(new URL(endpoint).port), child);
    },
    freeze: () => void child?.kill("SIGSTOP"),
    thaw: () => void child?.kill("SIGCONT"),
  };
}

async function waitForPort(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    if (child.exitCode !== null) throw new Error(`etcd ended with ${child.exitCode}`);
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true));
      socket.once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (open) return;
    await sleep(50);
  }
  throw new Error("etcd does not listen after 20 s");
}

async function findFreePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return address !== null && typeof address === "object" ? address.port : 0;
  });
  await Promise.all(servers.map(async (server) => await new Promise((resolve) => server.close(resolve))));
  return ports;
}
