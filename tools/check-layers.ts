// SPDX-License-Identifier: Apache-2.0

import { isBuiltin } from "node:module";
import { posix } from "node:path";
import type { CheckReport, Finding } from "./finding.ts";
import { findImports } from "./imports.ts";
import { CORE_FOLDERS, PACKAGES, TEST_PACKAGES } from "./layer-table.ts";
import type { PackageRule } from "./layer-table.ts";
import { isCode, isTestFile, listFiles, readText } from "./repository-files.ts";

/** A file of a package, as the rules see it. */
interface Zone {
  readonly packageName: string;
  /** The folder below `src`; empty for a file that stands in `src` itself. */
  readonly folder: string;
}

type Target =
  | { readonly kind: "node" }
  | { readonly kind: "third-party"; readonly name: string }
  | { readonly kind: "zone"; readonly zone: Zone; readonly path: string; readonly isRelative: boolean }
  /** A file of the repository outside its packages. */
  | { readonly kind: "outside"; readonly path: string };

/**
 * Checks that imports follow the arrows of ARCHITECTURE.md: between packages, between the folders of core, to Node and
 * to third parties; that nobody imports a `main.ts`, nor a source a test.
 */
export function checkLayers(root: string): CheckReport {
  const files = listFiles(root).filter(isCode);
  return { findings: files.flatMap((file) => checkFile(file, readText(root, file))), notes: [] };
}

function checkFile(file: string, text: string): Finding[] {
  const place = explainPlace(file);
  const found: Finding[] = place === undefined ? [] : [{ file, text: place }];
  for (const { specifier, line } of findImports(text)) {
    const why = specifier === undefined ? explainComputed(file) : explainImport(file, specifier);
    if (why !== undefined) found.push({ file, line, text: why });
  }
  return found;
}

function explainPlace(file: string): string | undefined {
  const zone = zoneOf(file);
  if (zone === undefined) return undefined;
  if (!Object.hasOwn(PACKAGES, zone.packageName)) {
    return `the package ${zone.packageName} is not in tools/layer-table.ts`;
  }
  if (zone.packageName !== "core" || Object.hasOwn(CORE_FOLDERS, zone.folder)) return undefined;
  const folder = zone.folder === "" ? "its src folder itself" : `the folder ${zone.folder}`;
  return `core keeps nothing in ${folder}: it is not in tools/layer-table.ts`;
}

function explainComputed(file: string): string | undefined {
  return zoneOf(file) === undefined || isTestFile(file) ? undefined : "a computed import cannot be checked";
}

/** Why `file` may not import `specifier`, or undefined where it may. */
function explainImport(file: string, specifier: string): string | undefined {
  const target = resolveTarget(file, specifier);
  const path = target.kind === "zone" || target.kind === "outside" ? target.path : "";
  if (/(^|\/)main(\.ts)?$/.test(path)) return `nobody imports a main.ts: ${specifier}`;
  if (!isTestFile(file) && /\.(test|contract|gen)(\.ts)?$/.test(path))
    return `a source may not import a test: ${specifier}`;
  const zone = zoneOf(file);
  const rule = zone === undefined ? undefined : PACKAGES[zone.packageName];
  if (zone === undefined || rule === undefined) return undefined;
  const from = { file, zone, rule, isTest: isTestFile(file) };
  if (target.kind === "zone") return explainZone(from, target);
  if (target.kind === "outside") {
    const isOwnManifest = target.path === `packages/${zone.packageName}/package.json`;
    return from.isTest || isOwnManifest
      ? undefined
      : `a source may not import a file outside the packages: ${specifier}`;
  }
  return explainForeign(from, target);
}

interface Importer {
  readonly file: string;
  readonly zone: Zone;
  readonly rule: PackageRule;
  readonly isTest: boolean;
}

function explainForeign(from: Importer, target: Target & { kind: "node" | "third-party" }): string | undefined {
  const { zone, rule, isTest } = from;
  if (target.kind === "node") {
    return rule.node || isTest ? undefined : `${zone.packageName} may not import a module of Node`;
  }
  const own = Object.hasOwn(rule.thirdParty, zone.folder) ? (rule.thirdParty[zone.folder] ?? []) : [];
  const allowed = [...own, ...(rule.thirdParty["*"] ?? []), ...(isTest ? TEST_PACKAGES : [])];
  if (allowed.includes(target.name)) return undefined;
  return `${nameOf(zone)} may not import the third-party package ${target.name}`;
}

function explainZone(from: Importer, target: Target & { kind: "zone" }): string | undefined {
  const { zone, rule, isTest } = from;
  const to = target.zone;
  if (to.packageName === zone.packageName) {
    return zone.packageName === "core" && !isTest ? explainFolder(zone, to) : undefined;
  }
  const folders = Object.hasOwn(rule.packages, to.packageName) ? rule.packages[to.packageName] : undefined;
  if (folders === undefined) return `the package ${zone.packageName} may not import the package ${to.packageName}`;
  if (folders !== "all" && !folders.includes(to.folder)) {
    return `the package ${zone.packageName} may not import ${nameOf(to)}, only ${folders.join(", ")}`;
  }
  return target.isRelative ? `another package is imported by its name, as @berth/${to.packageName}/...` : undefined;
}

function explainFolder(from: Zone, to: Zone): string | undefined {
  if (from.folder === to.folder) return undefined;
  const folders = Object.hasOwn(CORE_FOLDERS, from.folder) ? CORE_FOLDERS[from.folder] : undefined;
  // A folder that is not in the table is a finding of its own.
  if (folders === undefined || folders === "all" || folders.includes(to.folder)) return undefined;
  return `${nameOf(from)} may not import ${nameOf(to)}`;
}

function nameOf(zone: Zone): string {
  return zone.folder === "" ? zone.packageName : `${zone.packageName}/${zone.folder}`;
}

function resolveTarget(file: string, specifier: string): Target {
  if (specifier.startsWith(".") || specifier.startsWith("/")) {
    return targetOf(posix.normalize(posix.join(posix.dirname(file), specifier)), true);
  }
  const own = /^@berth\/([^/]+)(?:\/(.*))?$/.exec(specifier);
  if (own !== null) {
    // `@berth/core/packs/x.json` is the only name that differs from its path.
    const path = (own[2] ?? "").replace(/^packs\//, "compatibility/packs/");
    return targetOf(`packages/${own[1]}/src/${path}`, false);
  }
  if (isBuiltin(specifier)) return { kind: "node" };
  const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
  return { kind: "third-party", name };
}

function targetOf(path: string, isRelative: boolean): Target {
  const zone = zoneOf(path);
  return zone === undefined ? { kind: "outside", path } : { kind: "zone", zone, path, isRelative };
}

function zoneOf(path: string): Zone | undefined {
  const found = /^packages\/([^/]+)\/src\/(?:([^/]+)\/)?/.exec(path);
  return found?.[1] === undefined ? undefined : { packageName: found[1], folder: found[2] ?? "" };
}
