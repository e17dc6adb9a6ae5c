// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, it } from "node:test";
import { runCommand } from "../program.ts";
import { formatJson } from "./json.ts";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const DOCUMENT = readFileSync(`${ROOT}docs/json.md`, "utf8");
const DEVICE = "aaaaaaaa-0000-4000-8000-000000000001";

/** Keys of each shape: an interface, so that a change here is a change for every program that reads it. */
const SHAPES: Readonly<Record<string, { readonly args: readonly string[]; readonly keys: string }>> = {
  "host/v1": {
    args: ["host", "--demo", "rack3-n4"],
    keys: "berth devices facts functions host kernel modules os parents pools problems unseenUsers uses virtualMachines",
  },
  "check/v1": {
    args: ["check", DEVICE, "host-b:0000:00:11.0/nvidia-231", "--demo"],
    keys: "berth destination exitCode platform room roomText source verdict",
  },
  "where/v1": {
    args: ["where", DEVICE, "--demo"],
    keys: "berth candidates counts elsewhere emptyHosts emptyParents excludedHosts existing exitCode nearMisses notChecked refused source sourceUsage",
  },
  "where-vm/v1": {
    args: ["where", "rack6-n1:db1", "--demo"],
    keys: "berth candidates elsewhere emptyHosts excludedHosts exitCode host nearMisses notChecked sources vm",
  },
  "demo/v1": { args: ["demo"], keys: "answers berth hosts" },
};

/** Keys of the items of lists, where docs/json.md names all of them. */
const ITEMS: Readonly<Record<string, readonly (readonly [list: string, keys: string])[]>> = {
  "host/v1": [["pools", "host law occupants offers origin owner parents perParent room types"]],
  "where/v1": [
    ["candidates", "because host parent platform rank room type verdict"],
    ["elsewhere", "codes host outcome parent platform room roomRemedy type verdict why"],
    ["nearMisses", "host opens parent remedies type why"],
    ["counts", "code hosts outcome parents text"],
  ],
  "where-vm/v1": [
    ["candidates", "assignments because host isBest platform rank"],
    ["elsewhere", "codes host obstacles outcome why"],
    ["nearMisses", "host remedies why"],
  ],
};

async function answer(args: readonly string[]): Promise<Record<string, unknown>> {
  const written: string[] = [];
  await runCommand([...args, "--json"], { write: (text) => void written.push(text), writeError: () => assert.fail() });
  return JSON.parse(written.join("")) as Record<string, unknown>;
}

function keysOf(value: unknown): string {
  assert.ok(typeof value === "object" && value !== null);
  return Object.keys(value).toSorted().join(" ");
}

describe("--json", () => {
  for (const [shape, { args, keys }] of Object.entries(SHAPES)) {
    it(`writes the keys of ${shape}, each of them documented`, async () => {
      const document = await answer(args);
      assert.equal(document["berth"], shape);
      assert.equal(keysOf(document), keys);
      for (const [list, ofItem] of ITEMS[shape] ?? []) {
        const [item] = document[list] as readonly unknown[];
        assert.equal(keysOf(item), ofItem, list);
      }
      const section = DOCUMENT.split(`## ${shape}\n`)[1]?.split("\n## ")[0] ?? "";
      const documented = keys.split(" ").filter((key) => key !== "berth" && !section.includes(`\`${key}\``));
      assert.deepEqual(documented, []);
    });
  }

  it("tells room of each type of a pool, and a number without limit as null", async () => {
    const { pools } = (await answer(["host", "--demo", "rack3-n4"])) as {
      pools: readonly { room: readonly object[] }[];
    };
    assert.ok(pools[0]?.room.some((room) => JSON.stringify(room) === '{"type":"nvidia-746","atLeast":3,"atMost":3}'));
    assert.equal(formatJson("x/v1", { atMost: Infinity }), '{\n  "berth": "x/v1",\n  "atMost": null\n}');
  });
});
