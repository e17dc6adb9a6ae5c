// SPDX-License-Identifier: Apache-2.0

import type { Evidence } from "../device/evidence.ts";
import type { HostSnapshot } from "../device/host-snapshot.ts";
import { checkSnapshot } from "./check-snapshot.ts";
import { FILLED_MAX, fillRecord, type Catalogue, type Filler } from "./fill-shape.ts";
import { SECTIONS, type Cut, type Digest, type Inventory, type Section } from "./inventory.ts";

/**
 * What an inventory comes to. `missing` names the shapes to ask the agent for, sorted; shapes within a shape can only be
 * named once that shape is there. `malformed` says what is wrong with it, at most 20 lines.
 */
export type Joined =
  | { readonly kind: "joined"; readonly snapshot: HostSnapshot; readonly cut: Cut }
  | { readonly kind: "missing"; readonly shapes: readonly [Digest, ...Digest[]] }
  | { readonly kind: "malformed"; readonly lines: readonly string[] };

/**
 * Makes the snapshot that was split. Every reading's kind, value, source and path are those of the host; a raw text that
 * stayed there is marked `textOnHost`. Never throws for what an inventory or a shape holds.
 *
 * `cut` other than "nothing" says that the host showed more than this: nothing may then be taken for absent.
 */
export function joinSnapshot(inventory: Inventory, catalogue: Catalogue): Joined {
  const [first, ...rest] = findMissingShapes(inventory, catalogue);
  if (first !== undefined) return { kind: "missing", shapes: [first, ...rest] };
  try {
    const snapshot = fillSnapshot(inventory, { host: inventory.host, catalogue, left: FILLED_MAX });
    const lines = checkSnapshot(snapshot);
    if (lines.length > 0) return { kind: "malformed", lines };
    return { kind: "joined", snapshot: snapshot as HostSnapshot, cut: inventory.cut };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError)
      return { kind: "malformed", lines: [error.message] };
    throw error;
  }
}

/** Digests that an inventory rests on and that a catalogue does not have, sorted. */
export function findMissingShapes(inventory: Inventory, catalogue: Catalogue): readonly Digest[] {
  const missing = new Set<Digest>();
  const named = new Set(SECTIONS.flatMap((section) => inventory.sections[section].map(({ shape }) => shape)));
  for (const digest of named) {
    const shape = catalogue.find(digest);
    if (shape === undefined) missing.add(digest);
    else for (const nested of shape.nested) if (catalogue.find(nested) === undefined) missing.add(nested);
  }
  return [...missing].sort();
}

function fillSnapshot(inventory: Inventory, filler: Filler): unknown {
  const fillSection = (section: Section): readonly unknown[] =>
    inventory.sections[section].map((record) => fillRecord(filler, record));
  const [self, ...others] = fillSection("host");
  if (typeof self !== "object" || self === null || others.length > 0) {
    throw new SyntaxError("Cannot read an inventory: expected one record of the host itself");
  }
  const { apBus, ...rest } = self as { readonly apBus?: unknown };
  const queues = fillSection("queues");
  return {
    ...rest,
    host: inventory.host,
    parents: fillSection("parents"),
    devices: fillSection("devices"),
    functions: fillSection("functions"),
    modules: fillSection("modules"),
    virtualMachines: fillSection("virtualMachines"),
    uses: fillSection("uses"),
    problems: fillSection("problems"),
    ...(typeof apBus === "object" && apBus !== null ? { apBus: { ...apBus, queues } } : {}),
  };
}

/** Paths of the raw texts of a snapshot that stayed on the host, sorted. */
export function listTextsOnHost(snapshot: HostSnapshot): readonly string[] {
  const paths = new Set<string>();
  mapEvidence(snapshot, (evidence) => {
    if (evidence.textOnHost === true) paths.add(evidence.path);
    return evidence;
  });
  return [...paths].sort();
}

/** Puts raw texts that the host's agent told, by path, where they were read. Those that it did not tell stay marked. */
export function restoreTexts(snapshot: HostSnapshot, texts: ReadonlyMap<string, string>): HostSnapshot {
  return mapEvidence(snapshot, (evidence) => {
    const text = evidence.textOnHost === true ? texts.get(evidence.path) : undefined;
    if (text === undefined) return evidence;
    const { textOnHost: _, ...rest } = evidence;
    return { ...rest, text };
  }) as HostSnapshot;
}

/** A copy of a snapshot, or of a part of one, with other evidence in its readings. */
function mapEvidence(value: unknown, change: (evidence: Evidence) => Evidence): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => mapEvidence(item, change));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      key === "evidence" && isEvidence(item) ? change(item) : mapEvidence(item, change),
    ]),
  );
}

function isEvidence(value: unknown): value is Evidence {
  return typeof value === "object" && value !== null && Object.hasOwn(value, "path") && Object.hasOwn(value, "source");
}
