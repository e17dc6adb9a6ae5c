// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { canonicalJson } from "../device/canonical-json.ts";
import type { HostSnapshot } from "../device/host-snapshot.ts";
import { applyDelta, packDelta, planDelta, unpackDelta } from "./delta.ts";
import { parseShape, type Catalogue } from "./fill-shape.ts";
import { formatInventory, packInventory, unpackInventory } from "./inventory-document.ts";
import { joinSnapshot, listTextsOnHost, restoreTexts } from "./join-snapshot.ts";
import { anySnapshot } from "./snapshot.gen.ts";
import { splitSnapshot, type SplitSnapshot } from "./split-snapshot.ts";

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function catalogueOf(...splits: readonly SplitSnapshot[]): Catalogue {
  const shapes = new Map(
    splits.flatMap(({ shapes: texts }) => [...texts]).map(([name, text]) => [name, parseShape(text)]),
  );
  return { find: (digest) => shapes.get(digest) };
}

function join(split: SplitSnapshot): HostSnapshot {
  const joined = joinSnapshot(unpackInventory(JSON.parse(split.text)), catalogueOf(split));
  assert.equal(joined.kind, "joined", JSON.stringify(joined));
  return (joined as { readonly snapshot: HostSnapshot }).snapshot;
}

/** A copy with every raw text left out, and with it the mark that it is elsewhere. */
function withoutTexts(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, item: unknown) => {
      if (key !== "evidence" || typeof item !== "object") return item;
      const { text: _, textOnHost: __, ...rest } = item as { readonly text?: string; readonly textOnHost?: true };
      return rest;
    }),
  );
}

/** A wound that any reader of JSON sees is none for this test. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("splitSnapshot() and joinSnapshot() laws", () => {
  it("R1: with the texts that stayed on the host, what was split is joined to the same", () => {
    fc.assert(
      fc.property(anySnapshot, (snapshot) => {
        const split = splitSnapshot(snapshot, sha256);
        assert.equal(split.inventory.cut, "nothing");
        // No reader of JSON may be led to take a key of a host for the prototype.
        for (const text of split.shapes.values()) assert.ok(!text.includes('"__proto__":'), text);
        assert.equal(canonicalJson(restoreTexts(join(split), split.texts)), canonicalJson(snapshot));
      }),
      { numRuns: 80 },
    );
  });

  it("R2: without them nothing but raw texts is missing, and each that is missing can be asked for by its path", () => {
    fc.assert(
      fc.property(anySnapshot, (snapshot) => {
        const split = splitSnapshot(snapshot, sha256);
        const joined = join(split);
        assert.equal(canonicalJson(withoutTexts(joined)), canonicalJson(withoutTexts(snapshot)));
        assert.deepEqual(listTextsOnHost(joined), [...split.texts.keys()].sort());
      }),
      { numRuns: 50 },
    );
  });

  it("R3: shapes do not see the order of keys", () => {
    const reversed = (value: unknown): unknown => {
      if (typeof value !== "object" || value === null) return value;
      if (Array.isArray(value)) return value.map(reversed);
      return Object.fromEntries(
        Object.entries(value)
          .map(([key, item]) => [key, reversed(item)])
          .reverse(),
      );
    };
    fc.assert(
      fc.property(anySnapshot, (snapshot) => {
        const other = splitSnapshot(reversed(snapshot) as HostSnapshot, sha256);
        assert.deepEqual([...other.shapes.keys()].sort(), [...splitSnapshot(snapshot, sha256).shapes.keys()].sort());
        assert.equal(canonicalJson(restoreTexts(join(other), other.texts)), canonicalJson(snapshot));
      }),
      { numRuns: 25 },
    );
  });

  it("R4: an inventory is read as it was written, and written again as the same text", () => {
    fc.assert(
      fc.property(
        anySnapshot,
        fc.dictionary(fc.constantFrom("later", "vms2", "constructor"), fc.jsonValue({ maxDepth: 3 })),
        (snapshot, more) => {
          const inventory = { ...splitSnapshot(snapshot, sha256).inventory, more };
          const read = unpackInventory(JSON.parse(JSON.stringify(packInventory(inventory))));
          assert.equal(canonicalJson(read), canonicalJson(JSON.parse(JSON.stringify(inventory))));
          assert.equal(formatInventory(read), formatInventory(inventory));
        },
      ),
      { numRuns: 25 },
    );
  });

  it("R5: a delta leads from any snapshot of a host to any other", () => {
    fc.assert(
      fc.property(anySnapshot, anySnapshot, fc.nat(7), (before, other, kept) => {
        // Some lists are the same, as they mostly are.
        const lists = ["parents", "devices", "functions"] as const;
        const same = Object.fromEntries(
          lists.filter((_, at) => (kept >> at) % 2 === 1).map((list) => [list, before[list]]),
        );
        const [from, whole] = [before, { ...other, ...same }].map((one) => splitSnapshot(one, sha256).inventory);
        assert.ok(from !== undefined && whole !== undefined);
        const to = { ...whole, cut: (["nothing", "problems", "everything"] as const)[kept % 3] ?? "nothing" };
        const delta = unpackDelta(JSON.parse(JSON.stringify(packDelta(planDelta(from, to)))));
        assert.equal(formatInventory(applyDelta(from, delta)), formatInventory(to));
      }),
      { numRuns: 60 },
    );
  });

  it("R6: an inventory or shape of anybody's making is joined or refused, and nothing else", () => {
    const damage = fc.record({
      at: fc.nat(),
      put: fc.constantFrom("", "$", "0", "9", '"', "null", "[]", "{}", "known", "-1"),
    });
    fc.assert(
      fc.property(
        anySnapshot,
        fc.array(damage, { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        (snapshot, damages, inShapes) => {
          const split = splitSnapshot(snapshot, sha256);
          const wound = (text: string): string => {
            const wounded = damages.reduce((all, { at, put }) => {
              const cut = at % (all.length + 1);
              return all.slice(0, cut) + put + all.slice(cut + 1);
            }, text);
            return isJson(wounded) ? wounded : text;
          };
          try {
            const shapes = new Map(
              [...split.shapes].map(([digest, text]) => [digest, parseShape(inShapes ? wound(text) : text)]),
            );
            const inventory = unpackInventory(JSON.parse(inShapes ? split.text : wound(split.text)));
            const joined = joinSnapshot(inventory, { find: (digest) => shapes.get(digest) });
            assert.ok(["joined", "missing", "malformed"].includes(joined.kind));
          } catch (error) {
            assert.ok(error instanceof SyntaxError, String(error));
          }
        },
      ),
      { numRuns: 80 },
    );
  });
});
