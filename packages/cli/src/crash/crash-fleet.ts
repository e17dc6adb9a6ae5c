// SPDX-License-Identifier: Apache-2.0

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { enrolAgent } from "@berth/agent/uplink/enrol-agent";
import type { FlatAttributes } from "@berth/simulator/machine/flat-attributes";
import { simulateHost, type SimulatedHost } from "@berth/simulator/machine/host";
import { makeVmFiles } from "@berth/simulator/machine/vm-files";
import type { ServerLink } from "../connect/server-link.ts";
import { startKillable, type Killable } from "./killable.ts";
import { serveKernel } from "./remote-kernel.ts";

const PARENT = "0000:6a:01.0";
/** Units of one accelerator. */
export const UNITS = 32;
const ATTRIBUTES: FlatAttributes = {
  softwareVersion: "1.5.0",
  compatible: { pci_ids: ["8086:0b25"] },
  dynamicResources: ["aggregator"],
};
const AGENT = fileURLToPath(new URL("./agent-process.ts", import.meta.url));

/** The host whose devices are to move; it makes nothing itself. */
export const SOURCE = "source";
/** Units of each of its devices. */
export const SOURCE_UNITS: readonly number[] = [1, 2, 3, 4, 5];

/** One host: its kernel in this process, its agent in another one. */
export interface CrashHost {
  readonly host: string;
  /** Where its agent keeps its state, and reads when it is to die. */
  readonly folder: string;
  readonly kernel: SimulatedHost;
  readonly agent: Killable;
  /** Refusals of the kernel that an oversubscribed pool would give. */
  readonly refusals: string[];
  close(): Promise<void>;
}

/** Starts a host with an accelerator, enrols it and hands its parent over. */
export async function startCrashHost(host: string, { directory, server, onComplaint }: CrashPlace): Promise<CrashHost> {
  const folder = join(directory, host);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const kernel = simulateHost({
    name: host,
    vfioDebugfs: true,
    machines: [
      {
        kind: "dsa",
        address: PARENT,
        numaNode: 0,
        iommuGroup: 41,
        attributes: ATTRIBUTES,
        migrationFeatures: ["stop-copy", "p2p", "pre-copy", "dirty-tracking"],
      },
    ],
    devices: host === SOURCE ? SOURCE_UNITS.map(makeSourceDevice) : [],
    files: makeVmFiles([]),
  });
  const refusals: string[] = [];
  const pipes = serveKernel(folder, kernel.tree, (path, text, outcome) => {
    if (outcome !== "written") refusals.push(`${host} ${path} ${text.trim()} ${outcome}`);
  });
  const { token } = await server.control.makeEnrolment({ host });
  await enrolAgent({ servers: [server.url.origin], token, host, stateDirectory: join(folder, "state") });
  const args = [AGENT, "live-until-killed", folder];
  const agent = startKillable(`agent of ${host}`, { args, cache: join(directory, "cache"), onComplaint });
  return {
    host,
    folder,
    kernel,
    agent,
    refusals,
    close: async () => {
      await agent.kill();
      pipes.close();
    },
  };
}

/** Where hosts are started. */
export interface CrashPlace {
  readonly directory: string;
  readonly server: ServerLink;
  readonly onComplaint: (line: string) => void;
}

/** Hands the parent of a host over, once it has reported. */
export async function handOver(server: ServerLink, host: string): Promise<void> {
  await server.control.adopt({ host, parent: PARENT });
}

/** A device of the source host by its number. */
export function sourceDevice(index: number): string {
  return `50000000-0000-4000-8000-${String(index + 1).padStart(12, "0")}`;
}

function makeSourceDevice(units: number, index: number) {
  const attributes = units === 1 ? [] : [["aggregator", String(units)] as const];
  return { parent: PARENT, type: "dsa-1dwq", uuid: sourceDevice(index), attributes };
}

/** The devices that stand on a host, each with its units, sorted. */
export function listStanding({ kernel }: CrashHost): readonly string[] {
  const found = kernel.tree.list("/sys/bus/mdev/devices");
  if (found.kind !== "names") throw new Error("A simulated host lists its devices");
  return found.names.map((uuid) => {
    const read = kernel.tree.read(`/sys/bus/mdev/devices/${uuid}/aggregator`, 4096);
    return `${uuid} ${read.kind === "text" ? read.text.trim() : read.kind}`;
  });
}
