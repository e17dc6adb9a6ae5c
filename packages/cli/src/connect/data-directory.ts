// SPDX-License-Identifier: Apache-2.0

import { join } from "node:path";
import type { World } from "../world.ts";
import type { Setting } from "./setting.ts";

/** The data directory of a server of this machine: BERTH_DATA, else the system's for root and the user's own for others. */
export function findDataDirectory({
  env,
  homeDirectory,
  isRoot,
}: Pick<World, "env" | "homeDirectory" | "isRoot">): Setting {
  const said = env["BERTH_DATA"];
  if (said !== undefined && said !== "") return { value: said, origin: "BERTH_DATA" };
  return { value: isRoot ? "/var/lib/berth" : join(homeDirectory, ".local/share/berth"), origin: "default" };
}

/** Where a server keeps the token of its own machine's administrator. */
export function adminTokenFile(directory: string): string {
  return join(directory, "admin.token");
}
