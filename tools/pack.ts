// SPDX-License-Identifier: Apache-2.0

import { chmodSync, copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rolldown, type OutputChunk } from "rolldown";

/** One thing that is shipped: a folder with one program. */
interface Shipped {
  readonly name: string;
  /** Output file -> source file. */
  readonly entries: Readonly<Record<string, string>>;
  /** Oldest Node that runs it. */
  readonly node: number;
  /** What Node is told when the program is started by its own name. */
  readonly flags: readonly string[];
  /** Files and folders that stand beside it: place in the folder -> place in the repository. */
  readonly beside: Readonly<Record<string, string>>;
}

const SHIPPED: readonly Shipped[] = [
  {
    name: "berth-agent",
    entries: { "berth-agent": "packages/agent/src/main.ts" },
    node: 20,
    // An agent lives for months beside VMs: young objects die young in it, and memory is worth more than its speed.
    flags: ["--max-semi-space-size=1", "--max-old-space-size=128"],
    beside: { "berth-agent.service": "packaging/berth-agent.service" },
  },
  {
    name: "berth",
    entries: {
      berth: "packages/cli/src/main.ts",
      "store-worker": "packages/server/src/store/sqlite/store-worker.ts",
    },
    node: 24,
    flags: ["--disable-warning=ExperimentalWarning"],
    beside: { "berth-server.service": "packaging/berth-server.service", "fixtures/sysfs": "fixtures/sysfs" },
  },
];

const root = join(import.meta.dirname, "..");

/** Bundles what is shipped into a folder, `dist/` unless another is named: one folder each, with the licences of what is in it. */
async function pack(target: string): Promise<void> {
  rmSync(target, { recursive: true, force: true });
  for (const shipped of SHIPPED) {
    const folder = join(target, shipped.name);
    mkdirSync(folder, { recursive: true });
    const chunks = await bundle(shipped, folder);
    writeFileSync(join(folder, "THIRD-PARTY-NOTICES.txt"), formatNotices(chunks));
    copyFileSync(join(root, "LICENSE"), join(folder, "LICENSE"));
    for (const [place, source] of Object.entries(shipped.beside)) {
      cpSync(join(root, source), join(folder, place), { recursive: true });
    }
    chmodSync(join(folder, `${shipped.name}.mjs`), 0o755);
    process.stdout.write(`${folder}: ${chunks.length} files\n`);
  }
}

async function bundle({ name, entries, node, flags }: Shipped, folder: string): Promise<readonly OutputChunk[]> {
  const input = Object.fromEntries(Object.entries(entries).map(([name, source]) => [name, join(root, source)]));
  const build = await rolldown({
    input,
    platform: "node",
    transform: { target: `node${node}` },
    logLevel: "warn",
  });
  const { output } = await build.write({
    dir: folder,
    format: "esm",
    entryFileNames: "[name].mjs",
    chunkFileNames: "[name]-[hash].mjs",
    banner: (chunk) => (chunk.isEntry && chunk.name === name ? `#!/usr/bin/env -S node ${flags.join(" ")}` : ""),
    codeSplitting: node >= 24,
  });
  await build.close();
  return output.filter((one) => one.type === "chunk");
}

/** The licences of every foreign package that is in a bundle. */
function formatNotices(chunks: readonly OutputChunk[]): string {
  const folders = new Set<string>();
  for (const chunk of chunks) {
    for (const id of chunk.moduleIds) {
      const found = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1];
      if (found !== undefined) folders.add(found);
    }
  }
  const parts = [...folders].toSorted().map(formatNotice);
  if (parts.length === 0) return "This program holds no third-party code.\n";
  return `This program holds code of these packages.\n\n${parts.join("\n")}`;
}

function formatNotice(folder: string): string {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
  const text = file === undefined ? "(its package holds no licence text)" : readFileSync(join(folder, file), "utf8");
  return `--- ${manifest.name} ${manifest.version}, ${manifest.license ?? "no licence named"} ---\n\n${text.trim()}\n`;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

await pack(process.argv[2] ?? join(root, "dist"));
