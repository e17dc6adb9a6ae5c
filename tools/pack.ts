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
    // An agent lives for months beside VMs: memory is worth more than its speed. It collects after each look by itself.
    flags: ["--max-semi-space-size=1", "--max-old-space-size=192", "--optimize-for-size", "--expose-gc"],
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
  const folders = new Map<string, string[]>();
  for (const id of chunks.flatMap(({ moduleIds }) => moduleIds)) {
    const found = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1];
    if (found !== undefined) folders.set(found, [...(folders.get(found) ?? []), id]);
  }
  const parts = [...folders].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([folder, ids]) => formatNotice(folder, ids));
  if (parts.length === 0) return "This program holds no third-party code.\n";
  return `This program holds code of these packages.\n\n${parts.join("\n")}`;
}

function formatNotice(folder: string, modules: readonly string[]): string {
  const { name, version, license, author } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  const text = file === undefined ? formatOwnWords(modules) : readFileSync(join(folder, file), "utf8").trim();
  const by = typeof author === "string" ? author : author?.name;
  const head = `--- ${name} ${version}, ${license ?? "no licence named"}${by === undefined ? "" : `, ${by}`} ---`;
  return `${head}\n\n${text}\n`;
}

/** What a package without a licence file says at the head of its modules; each text once. */
function formatOwnWords(modules: readonly string[]): string {
  const heads = modules.map((module) => {
    const lines = readFileSync(module, "utf8").split("\n");
    const end = lines.findIndex((line) => !line.startsWith("//"));
    return lines.slice(0, end).join("\n");
  });
  const own = [...new Set(heads.filter((head) => /copyright/i.test(head)))];
  const more =
    "Its package holds no licence file. The text of Apache-2.0 is in LICENSE beside this file; that of MIT is:";
  return [...own, `${more}\n\n${MIT}`].join("\n\n");
}

const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions: The above copyright notice and this permission notice shall be included
in all copies or substantial portions of the Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN
NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF
CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name: string };
}

await pack(process.argv[2] ?? join(root, "dist"));
