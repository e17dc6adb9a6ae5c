// SPDX-License-Identifier: Apache-2.0

import type { MigrationProfile } from "../../device/migration-profile.ts";
import type { SoftwareVersion } from "../../device/software-version.ts";
import { parseSoftwareVersion } from "../../device/software-version.ts";
import type { Dotted } from "./dotted.ts";
import { isWithin, parseDotted, parseKernelRelease } from "./dotted.ts";
import { explainUndecided, matchPack, packSubjectOf } from "./match-pack.ts";
import type { LoadedPack, PackMigration, PackStreamVersion } from "./pack.ts";

/** What the packs say about migration of a device at all (R10). */
export type FoundMigration =
  | { readonly kind: "statement"; readonly statement: PackMigration; readonly pack: LoadedPack }
  | { readonly kind: "unknown"; readonly why: string };

/** What the packs say about the stream version of a driver that exports none (R4 a). `from` cites the source. */
export type FoundVersion =
  | { readonly kind: "version"; readonly version: SoftwareVersion; readonly from: string; readonly pack: LoadedPack }
  | { readonly kind: "none" }
  | { readonly kind: "unknown"; readonly why: string };

/**
 * The statement of the first pack that speaks for a profile and says anything for its kernel. Unknown where no pack does,
 * where the kernel or a fact of the match cannot be read, and where the statement is doubtful.
 */
export function findMigrationStatement(profile: MigrationProfile, packs: readonly LoadedPack[]): FoundMigration {
  const found = findForKernel(profile, packs, (pack) => pack.pack.migration);
  if (found.kind === "unknown") return found;
  if (found.kind === "none") return { kind: "unknown", why: found.why };
  return { kind: "statement", statement: found.item, pack: found.pack };
}

/** The stream version that the first fitting pack states for a profile's driver and kernel. */
export function findStreamVersion(profile: MigrationProfile, packs: readonly LoadedPack[]): FoundVersion {
  const found = findForKernel(profile, packs, (pack) => pack.pack.streamVersions);
  if (found.kind === "unknown") return found;
  if (found.kind === "none") return { kind: "none" };
  try {
    return {
      kind: "version",
      version: parseSoftwareVersion(found.item.version),
      from: found.item.from,
      pack: found.pack,
    };
  } catch {
    return { kind: "unknown", why: `Pack ${found.pack.pack.name} states a malformed stream version` };
  }
}

type Found<T> =
  | { readonly kind: "found"; readonly item: T; readonly pack: LoadedPack }
  | { readonly kind: "none"; readonly why: string }
  | { readonly kind: "unknown"; readonly why: string };

/** Walks the packs in order, and in each the statements in order; the first whose kernel range holds decides. */
function findForKernel<T extends PackMigration | PackStreamVersion>(
  profile: MigrationProfile,
  packs: readonly LoadedPack[],
  list: (pack: LoadedPack) => readonly T[] | undefined,
): Found<T> {
  const subject = packSubjectOf(profile);
  let why = "No pack speaks for this driver";
  for (const pack of packs) {
    const items = list(pack) ?? [];
    const matched = items.length === 0 ? "no" : matchPack(pack, subject);
    if (matched === "no") continue;
    if (matched === "unknown") return { kind: "unknown", why: explainUndecided(pack, subject) };
    const found = pickByKernel(profile, pack, items);
    if (found.kind !== "none") return found;
    why = found.why;
  }
  return { kind: "none", why };
}

/** The first statement of one pack whose kernel range holds; a doubtful one is an answer too, namely unknown. */
function pickByKernel<T extends PackMigration | PackStreamVersion>(
  profile: MigrationProfile,
  pack: LoadedPack,
  items: readonly T[],
): Found<T> {
  const { name } = pack.pack;
  const { release } = profile.kernel;
  const kernel = release.kind === "known" ? parseKernelRelease(release.value) : undefined;
  for (const item of items) {
    const bounded = item.kernelAtLeast !== undefined || item.kernelBelow !== undefined;
    if (bounded && kernel === undefined) {
      return { kind: "unknown", why: `Pack ${name} decides by the kernel release, which is not known` };
    }
    if (kernel !== undefined && !isForKernel(item, kernel)) continue;
    if (item.doubtful === true) {
      return { kind: "unknown", why: `Pack ${name} is doubtful here, only read about: ${sayOf(item)}` };
    }
    return { kind: "found", item, pack };
  }
  return {
    kind: "none",
    why: `Pack ${name} says nothing for kernel ${release.kind === "known" ? release.value : "?"}`,
  };
}

/** A bound that cannot be read leaves every kernel out. */
function isForKernel(item: PackMigration | PackStreamVersion, kernel: Dotted): boolean {
  const atLeast = item.kernelAtLeast === undefined ? undefined : parseDotted(item.kernelAtLeast);
  const below = item.kernelBelow === undefined ? undefined : parseDotted(item.kernelBelow);
  if (atLeast === undefined && item.kernelAtLeast !== undefined) return false;
  if (below === undefined && item.kernelBelow !== undefined) return false;
  return isWithin(kernel, atLeast, below);
}

function sayOf(item: PackMigration | PackStreamVersion): string {
  return "text" in item ? item.text : item.from;
}
