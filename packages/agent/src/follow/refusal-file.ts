// SPDX-License-Identifier: Apache-2.0

import type { ClaimReason } from "@berth/core/claim/claim";
import { makePrivateDirectory, replaceFile } from "../provision/durable-file.ts";
import { readDurableJson } from "./durable-json.ts";

/** Claims that this agent refused, with why; on disk. None of them is ever tried again. */
export interface RefusalFile {
  find(claim: string): ClaimReason | undefined;
  /** Returns when it is on disk: only then may the refusal be told. */
  add(claim: string, reason: ClaimReason): void;
  /** Forgets the refusals of all other claims: the control plane does not name them any more. */
  keepOnly(claims: ReadonlySet<string>): void;
}

interface Kept {
  readonly format: 1;
  readonly refused: readonly (readonly [string, ClaimReason])[];
}

const NAME = "refused.json";

/** Opens the file of a state directory. Throws SyntaxError for a damaged one, and what the file system throws. */
export function openRefusalFile(directory: string): RefusalFile {
  makePrivateDirectory(directory);
  let refused = new Map(readDurableJson<Kept>(`${directory}/${NAME}`, isKept)?.refused);
  const replace = (next: Map<string, ClaimReason>): void => {
    const kept: Kept = { format: 1, refused: [...next].sort(([a], [b]) => (a < b ? -1 : 1)) };
    replaceFile(directory, NAME, `${JSON.stringify(kept)}\n`);
    refused = next;
  };
  return {
    find: (claim) => refused.get(claim),
    add: (claim, reason) => replace(new Map([...refused, [claim, reason]])),
    keepOnly: (claims) => {
      const next = [...refused].filter(([claim]) => claims.has(claim));
      if (next.length < refused.size) replace(new Map(next));
    },
  };
}

function isKept({ format, refused }: Readonly<Record<string, unknown>>): boolean {
  return format === 1 && Array.isArray(refused) && refused.every(isRefusal);
}

function isRefusal(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2 || typeof value[0] !== "string") return false;
  const reason: unknown = value[1];
  if (typeof reason !== "object" || reason === null) return false;
  const { code, text } = reason as Partial<ClaimReason>;
  return typeof code === "string" && typeof text === "string";
}
