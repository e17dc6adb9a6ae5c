// SPDX-License-Identifier: Apache-2.0

/** What the sources of one package may import besides their own package. */
export interface PackageRule {
  /** Package of this repository -> its folders, or "all". */
  readonly packages: Readonly<Record<string, readonly string[] | "all">>;
  /** May it import Node's own modules? Tests always may. */
  readonly node: boolean;
  /** Folder -> third-party packages that it may import; `*` stands for every folder. */
  readonly thirdParty: Readonly<Record<string, readonly string[]>>;
}

/** The arrows between packages. A package that is missing here is a finding. */
export const PACKAGES: Readonly<Record<string, PackageRule>> = {
  core: { packages: {}, node: false, thirdParty: { protocol: ["typebox"] } },
  agent: { packages: { core: "all" }, node: true, thirdParty: {} },
  // Its arithmetic and its texts are its own, or an error of core would cancel itself in every test of both.
  simulator: { packages: { core: ["device"] }, node: true, thirdParty: {} },
  server: {
    packages: { core: "all" },
    node: true,
    thirdParty: {
      http: ["fastify", "prom-client"],
      store: ["@bufbuild/protobuf", "@connectrpc/connect", "@connectrpc/connect-node"],
    },
  },
  cli: {
    packages: { core: "all", agent: "all", server: "all", simulator: "all" },
    node: true,
    thirdParty: { "*": ["commander", "cli-table3"] },
  },
};

const DECIDING = ["device", "capacity", "compatibility", "inventory"];

/** The arrows between the folders of core. A folder that is missing here is a finding; nobody imports `protocol`. */
export const CORE_FOLDERS: Readonly<Record<string, readonly string[] | "all">> = {
  device: [],
  xml: [],
  sysfs: ["device"],
  // Formats that were proposed and never taken up: what they say decides nothing, so no deciding folder reads it.
  drafts: ["device"],
  compatibility: ["device"],
  capacity: ["device"],
  claim: ["device", "capacity", "compatibility"],
  inventory: ["device", "capacity", "compatibility"],
  // How a snapshot travels and is stored: it decides nothing about devices.
  report: ["device"],
  placement: DECIDING,
  provision: ["device", "claim"],
  migration: ["device", "claim", "provision", "compatibility", "xml"],
  planning: [...DECIDING, "placement", "claim", "migration"],
  protocol: "all",
};

/** Third-party packages that any test may import. */
export const TEST_PACKAGES: readonly string[] = ["fast-check"];
