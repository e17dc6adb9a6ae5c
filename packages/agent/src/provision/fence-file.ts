// SPDX-License-Identifier: Apache-2.0

import * as fs from "node:fs";

import type { ClaimedIdentity } from "@berth/core/claim/claim";
import { makePrivateDirectory, replaceFile, syncDirectory } from "./durable-file.ts";
import { nameErrno } from "./errno-name.ts";

/** `stale`: one of the identities has been seen with a newer fence; nothing was changed. */
export type Admission =
  | { readonly kind: "admitted" }
  | { readonly kind: "stale"; readonly identity: string; readonly fence: number; readonly seen: number };

/** The newest fence that was seen of each identity, on disk. */
export interface FenceFile {
  /** By name, as `fenceNamesOf` has it. */
  readonly seen: ReadonlyMap<string, number>;
  /**
   * Admits what a claim's fence says about identities, all of them or none, unless newer was seen of one. The same
   * fence is admitted again. Returns when it is on disk; throws what the file system throws, and nothing is admitted.
   */
  admit(identities: readonly string[], fence: number): Admission;
  /** Forgets identities that are never used again: UUIDs of claims that the control plane knows to be gone. */
  forget(identities: readonly string[]): void;
}

const NAME = "fences.json";

/**
 * Opens the fences of a state directory. Throws SyntaxError for a file that is not as it was written: taking it for an
 * empty one would admit everything that was ever refused.
 */
export function openFenceFile(directory: string): FenceFile {
  makePrivateDirectory(directory);
  let seen = readFences(`${directory}/${NAME}`);
  // A rename that a crash left in memory alone must not be answered from.
  syncDirectory(directory);
  const replace = (next: ReadonlyMap<string, number>): void => {
    const sorted = [...next].sort(([a], [b]) => (a < b ? -1 : 1));
    replaceFile(directory, NAME, `${JSON.stringify({ format: 1, fences: sorted })}\n`);
    seen = next;
  };
  return {
    get seen() {
      return seen;
    },
    admit: (identities, fence) => {
      checkFence(fence);
      for (const identity of identities) {
        const newest = seen.get(identity);
        if (newest !== undefined && newest > fence) return { kind: "stale", identity, fence, seen: newest };
      }
      const raised = identities.filter((identity) => seen.get(identity) !== fence);
      if (raised.length > 0) replace(new Map([...seen, ...raised.map((identity) => [identity, fence] as const)]));
      return { kind: "admitted" };
    },
    forget: (identities) => {
      const gone = new Set(identities);
      const kept = [...seen].filter(([identity]) => !gone.has(identity));
      if (kept.length < seen.size) replace(new Map(kept));
    },
  };
}

/**
 * Names under which fences of a claimed device are kept, sorted. Addresses and placement slots are used again by other
 * claims, so an old message about them could hit a new owner. `owner` names the pool that slots belong to.
 */
export function fenceNamesOf(identity: ClaimedIdentity, owner: string): readonly string[] {
  if (identity.kind === "mdev") return [`uuid ${identity.uuid}`];
  const names = [`pci ${identity.address}`];
  if (identity.kind === "vendor-vfio" && identity.slot !== undefined) names.push(`slot ${owner} ${identity.slot}`);
  return names;
}

function checkFence(fence: number): void {
  if (Number.isSafeInteger(fence) && fence >= 0) return;
  throw new RangeError(`Cannot admit fence: expected a whole number, got "${fence}"`);
}

function readFences(path: string): ReadonlyMap<string, number> {
  let text: string;
  try {
    text = fs.readFileSync(path, "utf8");
  } catch (error) {
    if (nameErrno(error) === "ENOENT") return new Map();
    throw error;
  }
  const damaged = `Cannot parse the fences in ${path}`;
  let value: { readonly format?: unknown; readonly fences?: unknown } | null;
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    throw new SyntaxError(`${damaged}: they are not JSON`);
  }
  if (value?.format !== 1 || !Array.isArray(value.fences)) throw new SyntaxError(`${damaged}: unknown format`);
  const fences: readonly unknown[] = value.fences;
  if (!fences.every(isFence)) throw new SyntaxError(`${damaged}: expected pairs of a name and a whole number`);
  return new Map(fences);
}

function isFence(value: unknown): value is readonly [string, number] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === "string" && Number.isSafeInteger(value[1]);
}
