// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { ApiClient } from "@berth/core/protocol/api/client";
import type { VmCandidatesAnswer, VmItem } from "@berth/core/protocol/api/control-answers";
import { openInventory } from "../serve/inventory.ts";
import { GENERATION, pageOf, runWith, type Ran } from "../test-world.ts";

const UUID = "5eed0000-0101-4000-8000-000000000001";
const PAIRS: readonly (readonly [string, string])[] = [
  ["rack5-n1:5eed0000-0501-4000-8000-000000000001", "rack5-n2:5eed0000-0502-4000-8000-000000000001"],
  ["rack1-n1:5eed0000-0101-4000-8000-000000000001", "rack1-n2:0000:6a:01.0/dsa-1dwq"],
  ["aaaaaaaa-0000-4000-8000-000000000001", "host-b:0000:00:11.0/nvidia-231"],
];

const folder = mkdtempSync(join(tmpdir(), "berth-questions-"));
after(() => rmSync(folder, { recursive: true }));

describe("a server answers what hosts that are read here answer:", () => {
  let inventory: ApiClient;
  before(() => {
    inventory = openInventory({ host: [], demo: true });
  });
  /** Asks the demo's fleet over the API; a VM is never found. */
  const ask = (...args: readonly string[]): Promise<Ran> =>
    runWith(args, { inventory, control: { listVms: () => pageOf<VmItem>() } });

  for (const pair of PAIRS) {
    it(`berth check ${pair.join(" ")}`, async () => {
      const here = await runWith(["check", ...pair, "--demo"]);
      const there = await ask("check", ...pair);
      assert.deepEqual([there.code, there.complaint, there.written], [here.code, "", here.written]);
      const { generation, ...document } = JSON.parse((await ask("check", ...pair, "--json")).written) as Record<
        string,
        object
      >;
      assert.deepEqual(document, JSON.parse((await runWith(["check", ...pair, "--demo", "--json"])).written));
      assert.equal(
        Object.keys(generation ?? {})
          .toSorted()
          .join(),
        "epoch,revision",
      );
    });

    it(`berth where ${pair[0]}`, async () => {
      const here = await runWith(["where", pair[0], "--demo"]);
      const there = await ask("where", pair[0], "--limit", "100");
      assert.deepEqual([there.code, there.complaint], [here.code, ""]);
      const upTo = (text: string): string => text.split("\nWhy not elsewhere")[0] ?? "";
      const [title, ...rest] = upTo(here.written).split("\n");
      const shown = upTo(there.written).split("\n");
      // A server says nothing about who uses the source, nor about unused devices of its type.
      assert.ok(title?.startsWith(shown[0]?.replace(/\.$/, "") ?? "?"));
      assert.equal(shown.slice(1).join("\n"), rest.join("\n").replace(/\nExisting devices[^\n]*\n/, ""));
      const document = JSON.parse((await ask("where", pair[0], "--json", "--limit", "100")).written) as {
        candidates: readonly object[];
        exitCode: number;
      };
      const offline = JSON.parse((await runWith(["where", pair[0], "--demo", "--json"])).written) as typeof document;
      assert.equal(document.exitCode, offline.exitCode);
      assert.deepEqual(document.candidates.map(placeOf), offline.candidates.map(placeOf));
    });
  }

  it("only the hosts that are wanted, and none that is not", async () => {
    const only = await ask("where", `rack1-n1:${UUID}`, "--only-host", "rack1-n2", "--limit", "1");
    assert.deepEqual([only.code, only.written.match(/rack\d-n\d:/g)?.includes("rack1-n3:")], [0, false]);
    assert.match(only.written, /^1 berth, best first$/m);
    const here = await runWith(["where", `rack1-n1:${UUID}`, "--only-host", "rack1-n2", "--demo"]);
    assert.match(here.written, /^\d+ berths?, best first$/m);
    assert.doesNotMatch(here.written.split("Why not elsewhere")[0] ?? "", /rack1-n3:/);
    const wrong = await runWith(["where", `rack1-n1:${UUID}`, "--only-host", "nowhere", "--demo"]);
    assert.match(wrong.complaint, /^berth: unknown_host: No host "nowhere" was given that could be searched alone\n/);
    const out = await ask("where", `rack1-n1:${UUID}`, "--except", "rack1-n2");
    assert.doesNotMatch(out.written, / rack1-n2:/);
  });

  it("under a policy that is sent with the question", async () => {
    const path = join(folder, "policy.json");
    writeFileSync(path, JSON.stringify({ policy: "berth.policy/v1", crossType: true }));
    const asked = ["where", "aaaaaaaa-0000-4000-8000-000000000001", "--policy", path, "--assume-platform"];
    assert.equal((await ask(...asked)).code, (await runWith([...asked, "--demo"])).code);
    const { calls } = await ask(...asked);
    assert.deepEqual((calls.at(-1)?.[1] as { policy: object } | undefined)?.policy, {
      policy: "berth.policy/v1",
      crossType: true,
      assumePlatform: true,
    });
  });

  it("a profile file against a place of the fleet", async () => {
    const path = join(folder, "source.json");
    writeFileSync(path, (await runWith(["host", "--demo", "rack1-n1", "--profile", UUID])).written);
    const ran = await ask("check", path, "rack1-n2:0000:6a:01.0/dsa-1dwq");
    assert.deepEqual([ran.code, ran.complaint], [0, ""]);
  });

  const REFUSED: Record<
    string,
    { readonly args: readonly string[]; readonly complaint: RegExp; readonly code: number }
  > = {
    "a pack": {
      args: ["where", UUID, "--pack", "x.json"],
      complaint: /^berth: usage_conflict: A server does not take --pack: /,
      code: 2,
    },
    "every place of one device": {
      args: ["where", UUID, "--all"],
      complaint: /^berth: usage_conflict: A server does not take --all/,
      code: 2,
    },
    "a device that is nowhere": {
      args: ["where", "5eed0000-0101-4000-8000-0000000000ff"],
      complaint: /^berth: unknown_device: No device /,
      code: 1,
    },
    "a device that is not there": {
      args: ["where", `rack1-n2:${UUID}`],
      complaint: /^berth: unknown_device: /,
      code: 1,
    },
    "a name that is nobody's": { args: ["where", "db9"], complaint: /^berth: unknown_vm: No VM "db9"/, code: 1 },
    "a place without its host": {
      args: ["check", UUID, "0000:6a:01.0/dsa-1dwq"],
      complaint: /^berth: invalid_reference: .* names no host/,
      code: 2,
    },
    "a type that is missing": {
      args: ["check", UUID, "rack1-n2:0000:6a:01.0/"],
      complaint: /^berth: invalid_reference: .* names no type/,
      code: 2,
    },
    "a device that is none": {
      args: ["check", "rack1-n2:x", "rack1-n2:p/t"],
      complaint: /^berth: invalid_reference: /,
      code: 2,
    },
    "a server and hosts": {
      args: ["where", UUID, "--demo", "--server", "http://x"],
      complaint: /^berth: usage_conflict: /,
      code: 2,
    },
  };
  for (const [name, { args, complaint, code }] of Object.entries(REFUSED)) {
    it(`not ${name}`, async () => {
      const ran = await ask(...args);
      assert.match(ran.complaint, complaint);
      assert.deepEqual([ran.code, ran.written], [code, ""]);
    });
  }
});

function placeOf(candidate: object): object {
  const { host, parent, type, rank, because, room } = candidate as Record<string, unknown>;
  return { host, parent, type, rank, because, room };
}

describe("berth where VM, of a server", () => {
  const COMMON = { agreements: [], claims: [], notes: [], packs: [] };
  const YES = {
    ...COMMON,
    kind: "compatible",
    confidence: "declared",
    restsOn: [{ rule: "R4", code: "x", text: "x", confidence: "declared" }],
  } as const;
  const PLATFORM = {
    ...COMMON,
    kind: "undetermined",
    missing: [{ rule: "R10", code: "qemu_version", text: "QEMU's version is not known" }],
  } as const;
  const vm = {
    host: "a",
    id: "vm-1",
    name: "db1",
    state: "running",
    owner: { kind: "berth" },
    devices: [],
    adopted: true,
  } as unknown as VmItem;

  function answerOf(changes: Partial<VmCandidatesAnswer>): VmCandidatesAnswer {
    return {
      generation: GENERATION,
      host: "a",
      vm: "vm-1",
      sources: [],
      candidates: [],
      excludedHosts: ["a"],
      notChecked: ["memory"],
      ...changes,
    };
  }
  const CANDIDATE = {
    host: "b",
    rank: 1,
    places: [
      { device: "d1", parent: "p0", type: "t", slot: 4, verdict: YES, room: { atLeast: 1, atMost: null } },
      { device: "d2", parent: "p1", type: "t", verdict: YES, room: { atLeast: 1, atMost: 1 } },
    ],
    platform: YES,
    because: ["confidence declared", "first by name"],
    isBest: true,
  };
  const ELSEWHERE = {
    host: "c",
    outcome: "not-now",
    codes: ["no_room"],
    why: "no room now for d1",
    remedies: [{ kind: "free", count: 1, type: "t", on: "c:p0" } as never],
  };
  const ask = (changes: Partial<VmCandidatesAnswer>, ...args: readonly string[]): Promise<Ran> =>
    runWith(["where", ...args], {
      control: {
        listVms: () => pageOf(vm),
        readVm: () => Promise.resolve({ generation: GENERATION, vm }),
        findVmCandidates: () => Promise.resolve(answerOf(changes)),
      },
    });

  it("tells the hosts with a place for each device, and why not elsewhere", async () => {
    const ran = await ask({ candidates: [CANDIDATE], elsewhere: [ELSEWHERE], elsewhereMore: 2 }, "a:db1");
    assert.equal(
      ran.written,
      `Where can VM db1 go?  0 devices on a, running.
  DEVICE  TYPE  PARENT

1 host with a berth for each, best first
     HOST  PLATFORM               DEVICE  BERTH           DEVICE PAIR            WHY HERE
  1  b     compatible (declared)  d1      p0/t at slot 4  compatible (declared)  first by name
                                  d2      p1/t            compatible (declared)

Why not elsewhere (each host by what is farthest from a yes; --all shows every host)
  KIND     HOSTS  CODE     WHICH  FOR EXAMPLE
  not now  1      no_room  c      no room now for d1

2 more hosts have a place for no device of it.

Nearest miss  c (not now): no room now for d1.
  mend it: Free 1 x t on c:p0
  ask again afterwards: all of its devices must have a place together

Not checked: memory.
`,
    );
    assert.equal(ran.code, 0);
    assert.deepEqual(ran.calls.find(([name]) => name === "findVmCandidates")?.[1], {
      source: { host: "a", vm: "vm-1" },
      strategy: "fragmentation",
    });
    assert.match(
      (await ask({ elsewhere: [ELSEWHERE] }, "--vm", "db1", "--all")).written,
      /every host\n {2}HOST {2}KIND/,
    );
  });

  it("exits as one device does", async () => {
    assert.equal((await ask({ candidates: [{ ...CANDIDATE, platform: PLATFORM }] }, "db1")).code, 4);
    assert.equal((await ask({ elsewhere: [ELSEWHERE] }, "db1")).code, 5);
    assert.equal((await ask({ elsewhere: [{ ...ELSEWHERE, outcome: "never" }] }, "db1")).code, 3);
    // An outcome that this version does not know is no "no".
    assert.equal((await ask({ elsewhere: [{ ...ELSEWHERE, outcome: "toString" }] }, "db1")).code, 4);
  });

  it("writes the shape of an answer about hosts that are read here", async () => {
    const ran = await ask({ candidates: [CANDIDATE], elsewhere: [ELSEWHERE] }, "db1", "--json");
    const document = JSON.parse(ran.written) as Record<string, unknown>;
    assert.equal(
      Object.keys(document).toSorted().join(" "),
      "berth candidates elsewhere excludedHosts exitCode generation host nearMisses notChecked sources vm",
    );
    assert.deepEqual(document["nearMisses"], [{ host: "c", why: ELSEWHERE.why, remedies: ELSEWHERE.remedies }]);
    assert.match(JSON.stringify(document["candidates"]), /"assignments":\[\{"device":"d1"/);
  });

  it("sends racks and labels, and refuses a label that is none", async () => {
    const ran = await ask({}, "db1", "--rack", "r1", "--rack", "r2", "--label", "zone=a=b", "--label", "__proto__=x");
    const request = ran.calls.find(([name]) => name === "findVmCandidates")?.[1] as { racks: object; labels: object };
    assert.deepEqual(request.racks, ["r1", "r2"]);
    assert.deepEqual(Object.entries(request.labels), [
      ["zone", "a=b"],
      ["__proto__", "x"],
    ]);
    for (const labels of [["zone"], ["=x"], ["a=1", "--label", "a=2"]]) {
      const refused = await ask({}, "db1", "--label", ...labels);
      assert.match(refused.complaint, /^berth: usage_bad_value: Cannot read --label /);
    }
  });

  it("takes no policy", async () => {
    assert.match(
      (await ask({}, "db1", "--assume-platform")).complaint,
      /^berth: usage_conflict: A server does not take --policy/,
    );
  });
});
