// SPDX-License-Identifier: Apache-2.0

import type { CheckReport, Finding } from "./finding.ts";
import { listFiles, readText } from "./repository-files.ts";

const LOCK = "package-lock.json";
/** What package.json and its entry in the lock file must agree on. */
const AGREED = ["version", "dependencies", "devDependencies", "optionalDependencies", "engines"] as const;

type Json = Readonly<Record<string, unknown>>;

/**
 * Checks the lock file: it fits every package.json (npm would silently resolve anew what does not fit), it names no
 * host, pins every package by its digest, holds Node for both architectures, and no package with an install script.
 */
export function checkLock(root: string): CheckReport {
  const entries = membersOf(membersOf(JSON.parse(readText(root, LOCK)))["packages"]);
  const findings = [
    ...listFiles(root).flatMap((file) => checkManifest(root, file, entries)),
    ...Object.entries(entries).flatMap(([path, entry]) => checkEntry(path, membersOf(entry))),
  ];
  for (const arch of ["x64", "arm64"]) {
    const path = `node_modules/node-linux-${arch}`;
    if (!Object.hasOwn(entries, path)) findings.push({ file: LOCK, text: `does not hold ${path}` });
  }
  return { findings, notes: [] };
}

function checkManifest(root: string, file: string, entries: Json): Finding[] {
  const path = /^(?:(packages\/[^/]+)\/)?package\.json$/.exec(file);
  if (path === null) return [];
  const manifest = membersOf(JSON.parse(readText(root, file)));
  const entry = membersOf(entries[path[1] ?? ""]);
  const different = AGREED.filter((key) => canonicalText(manifest[key]) !== canonicalText(entry[key]));
  return different.map((key) => ({ file, text: `"${key}" differs from ${LOCK}; run npm install and commit both` }));
}

function checkEntry(path: string, entry: Json): Finding[] {
  const findings: Finding[] = [];
  const resolved = entry["resolved"];
  if (typeof resolved === "string" && resolved.includes(":")) {
    findings.push({ file: LOCK, text: `names a host for ${path}; install with omit-lockfile-registry-resolved=true` });
  }
  const isForeign = path.includes("node_modules/") && entry["link"] !== true;
  if (isForeign && typeof entry["integrity"] !== "string")
    findings.push({ file: LOCK, text: `has no digest for ${path}` });
  if (entry["hasInstallScript"] === true) findings.push({ file: LOCK, text: `${path} needs an install script to run` });
  return findings;
}

function membersOf(value: unknown): Json {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function canonicalText(value: unknown): string {
  return (
    JSON.stringify(Object.entries(membersOf(value ?? {})).toSorted(([a], [b]) => (a < b ? -1 : 1))) + String(value)
  );
}
