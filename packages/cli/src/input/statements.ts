// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import { BUILT_IN_PACKS } from "@berth/core/compatibility/packs/built-in";
import { layerPacks } from "@berth/core/compatibility/packs/match-pack";
import type { DriverPack, LoadedPack } from "@berth/core/compatibility/packs/pack";
import { STRICT_POLICY, type Policy } from "@berth/core/compatibility/policy";
import { canonicalJson } from "@berth/core/device/canonical-json";
import { BerthError } from "@berth/core/protocol/berth-error";
import { parsePackDocument } from "@berth/core/protocol/pack-schema";
import { parsePolicyDocument } from "@berth/core/protocol/policy-schema";
import { readJsonFile } from "./json-file.ts";

/** The command line's part of what decides. */
export interface StatementOptions {
  readonly policy?: string;
  readonly pack?: readonly string[];
  readonly assumePlatform?: boolean;
}

/** The policy in force: the file's, or the strict one, with `--assume-platform` on top. */
export function readPolicy(options: StatementOptions): Policy {
  const base =
    options.policy === undefined ? STRICT_POLICY : parsePolicyDocument(readJsonFile(options.policy), options.policy);
  return options.assumePlatform === true ? { ...base, assumePlatform: true } : base;
}

/** The packs in force: the given ones first, then each built-in one that no given one replaces by its name. */
export function readPacks(options: StatementOptions): readonly LoadedPack[] {
  const given = new Map<string, LoadedPack>();
  for (const path of options.pack ?? []) {
    const pack = parsePackDocument(readJsonFile(path), path);
    if (given.has(pack.name)) {
      throw new BerthError("pack_duplicate", `Pack ${JSON.stringify(pack.name)} is given twice`, {
        place: path,
        expected: "each pack once",
      });
    }
    given.set(pack.name, loadPack(pack));
  }
  return layerPacks(BUILT_IN_PACKS.map(loadPack), [...given.values()]);
}

function loadPack(pack: DriverPack): LoadedPack {
  return { pack, digest: `sha256:${createHash("sha256").update(canonicalJson(pack)).digest("hex")}` };
}
