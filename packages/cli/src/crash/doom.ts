// SPDX-License-Identifier: Apache-2.0

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HostWriter } from "@berth/agent/provision/host-writer";

/** At which of its coming writes an agent dies: `before` its kernel hears of it, or `after` it has done it. */
export interface Death {
  readonly write: number;
  readonly when: "before" | "after";
}

/** Says at which writes the agent of a host is to die, one life after the other. */
export function doom(folder: string, deaths: readonly Death[]): void {
  writeFileSync(join(folder, "doom.json"), JSON.stringify(deaths));
}

/** Deaths that have not come yet. */
export function readDoom(folder: string): readonly Death[] {
  try {
    return JSON.parse(readFileSync(join(folder, "doom.json"), "utf8")) as readonly Death[];
  } catch {
    return [];
  }
}

/** A writer whose process dies with SIGKILL at the write that it is doomed to. */
export function dieAsDoomed(folder: string, writer: HostWriter): HostWriter {
  return {
    write: (path, text) => {
      const [next, ...others] = readDoom(folder);
      if (next === undefined) return writer.write(path, text);
      if (next.write > 1) {
        doom(folder, [{ ...next, write: next.write - 1 }, ...others]);
        return writer.write(path, text);
      }
      doom(folder, others);
      if (next.when === "after") writer.write(path, text);
      process.kill(process.pid, "SIGKILL");
      throw new Error("A process that was killed goes on");
    },
  };
}
