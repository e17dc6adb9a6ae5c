// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ClaimItem } from "@berth/core/protocol/api/control-answers";
import { readAllPages } from "@berth/core/protocol/api/client";
import { openServer, type ServerLink } from "../connect/server-link.ts";
import { handOver, SOURCE, startCrashHost, type CrashHost } from "./crash-fleet.ts";
import { findFreePort, startKillable, type Killable } from "./killable.ts";
import { insist } from "./load.ts";

const PROGRAM = fileURLToPath(new URL("../main.ts", import.meta.url));
/** What is chosen by chance follows from this; what the processes make of it does not. */
export const SEED: number = Number(process.env["BERTH_SEED"] ?? Date.now() % 1_000_000);
const SETTLE_MS = 60_000;
/** Longest complaint that is kept. */
const LINE_MAX = 2_000;

/** A control plane with hosts, in processes that may be killed. */
export interface Scene {
  readonly server: ServerLink;
  readonly hosts: readonly CrashHost[];
  /** What may be killed. */
  readonly victims: readonly Killable[];
  /** What was killed and started, and what the processes said; newest last. */
  readonly log: string[];
}

/** What a scene is made of. */
export interface SceneParts {
  /** Hosts whose parent is handed over; the source is there besides. */
  readonly hosts: readonly string[];
  readonly storeArguments?: readonly string[];
  /** What may be killed besides the server and the agents. */
  readonly members?: readonly Killable[];
}

/** Where scenes are started, and what ends them. */
export interface Stage {
  start(parts: SceneParts): Promise<Scene>;
  /** Done when the stage is closed, last one first. */
  onClose(end: () => Promise<void>): void;
  close(): Promise<void>;
}

/** Opens a stage; whatever was started there ends with it. */
export function openStage(): Stage {
  const endings: (() => Promise<void>)[] = [];
  const onClose = (end: () => Promise<void>): void => void endings.push(end);
  return {
    start: async (parts) => startScene(parts, onClose),
    onClose,
    close: async () => {
      for (const end of endings.splice(0).toReversed()) await end();
    },
  };
}

async function startScene(
  { hosts: names, storeArguments = [], members = [] }: SceneParts,
  onClose: Stage["onClose"],
): Promise<Scene> {
  const directory = mkdtempSync(join(tmpdir(), "berth-crash-"));
  onClose(async () => rmSync(directory, { recursive: true, force: true }));
  const log: string[] = [];
  const onComplaint = (line: string): void => void log.push(`${elapsed()} ${line.slice(0, LINE_MAX)}`);
  const data = join(directory, "data");
  const listen = `127.0.0.1:${await findFreePort()}`;
  const args = [PROGRAM, "server", "--assume-platform", "--data", data, "--listen", listen, ...storeArguments];
  const process_ = startKillable("server", { args, cache: join(directory, "cache"), onComplaint });
  onClose(async () => process_.kill());
  const url = new URL(`http://${listen}`);
  const never = new AbortController().signal;
  await insist(() => openServer({ url }).inventory.readReadiness(), never);
  const server = openServer({ url, token: readFileSync(join(data, "admin.token"), "utf8").trim() });
  const hosts: CrashHost[] = [];
  for (const host of [SOURCE, ...names]) {
    const started = await startCrashHost(host, { directory, server, onComplaint });
    onClose(async () => started.close());
    hosts.push(started);
  }
  const scene = { server, hosts, victims: [process_, ...hosts.map(({ agent }) => agent), ...members], log };
  const haveAllReported = async (): Promise<boolean> => {
    return (await server.inventory.listHosts()).items.length === hosts.length;
  };
  await telling(scene, async () => {
    await until("all hosts have reported", haveAllReported);
    for (const host of names) await handOver(server, host);
  });
  return scene;
}

/** Seconds since this process was started. */
export function elapsed(): string {
  return (performance.now() / 1000).toFixed(2);
}

/** What fails is told with all that led to it. */
export async function telling(scene: Scene, task: () => Promise<void>): Promise<void> {
  try {
    await task();
  } catch (error) {
    const file = join(mkdtempSync(join(tmpdir(), "berth-crash-log-")), "log.txt");
    const claims = await listClaims(scene.server).catch(() => []);
    const open = claims.filter(({ endedAtMs }) => endedAtMs === undefined).map(explainClaim);
    writeFileSync(file, [...scene.log, ...claims.map(explainClaim)].join("\n"));
    const shown = [...scene.log.slice(-40), ...open].map((line) => line.slice(0, 300));
    process.stderr.write([`BERTH_SEED=${SEED}, all in ${file}`, ...shown, ""].join("\n"));
    throw error;
  }
}

/** Waits until something is so; what it is asked with may fail meanwhile. */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + SETTLE_MS;
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > end) throw new Error(`It took longer than ${SETTLE_MS / 1000} s until ${what}`);
    await sleep(100);
  }
}

/** Every claim that there is. */
export async function listClaims(server: ServerLink): Promise<readonly ClaimItem[]> {
  return (await readAllPages((page) => server.control.listClaims(page))).items;
}

/** A claim in a line. */
export function explainClaim(claim: ClaimItem | undefined): string {
  if (claim === undefined) return "no claim";
  const { id, host, state, fence, reason, notice } = claim;
  return `${id} on ${host}, fence ${fence}, is ${state}: ${JSON.stringify(reason ?? notice ?? null)}`;
}
