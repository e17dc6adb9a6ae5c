// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ClaimDecisionAnswer, ClaimItem, VmItem } from "@berth/core/protocol/api/control-answers";
import { BerthError } from "@berth/core/protocol/berth-error";
import { GENERATION, NOW_MS, pageOf, runWith, type TestServer } from "../test-world.ts";

const UUID = "5eed0000-0101-4000-8000-000000000001";
const MADE = "0b7f0000-0000-4000-8000-000000000001";

function claimOf(changes: Partial<ClaimItem> = {}): ClaimItem {
  return {
    id: "0199f3c2-0001",
    state: "held",
    claimant: { kind: "device", host: "a", device: UUID },
    host: "b",
    devices: [
      {
        source: UUID,
        identity: { kind: "mdev", uuid: MADE },
        parent: "0000:6a:01.0",
        type: "dsa-1dwq",
        count: 1,
        values: [],
        occupant: { id: MADE, parent: "0000:6a:01.0", type: "dsa-1dwq", count: 1 } as never,
        fingerprint: { deviceApi: "vfio-pci", softwareVersion: "1.5.0" },
      },
    ],
    fence: 3,
    principal: "ann",
    createdAtMs: NOW_MS,
    expiresAtMs: NOW_MS + 600_000,
    restsOn: [],
    packs: [],
    revision: 7,
    ...changes,
  };
}

const VM = {
  host: "a",
  id: "5eed0000-0601-4000-8000-000000000101",
  name: "db1",
  uuid: "5eed0000-0601-4000-8000-000000000101",
  state: "running",
  owner: { kind: "nova" },
  devices: [{ device: UUID }, { device: "0000:41:00.4" }],
  adopted: true,
} as unknown as VmItem;

function granted(changes: Partial<Extract<ClaimDecisionAnswer, { kind: "granted" }>> = {}): ClaimDecisionAnswer {
  return { kind: "granted", generation: GENERATION, claim: claimOf(), tried: [], dryRun: false, steps: [], ...changes };
}

const REFUSED: ClaimDecisionAnswer = {
  kind: "refused",
  generation: GENERATION,
  because: "no-room",
  tried: [
    {
      host: "b",
      reasons: [
        { code: "claim_no_room", text: "no room now", device: 0, parent: "p0", type: "t", short: { "t on p0": 1 } },
        {
          code: "claim_incompatible",
          text: "a rule says no",
          device: 0,
          parent: "p1",
          type: "t",
          because: [{ rule: "R4", code: "software_version_minor", text: "2.2 is older than 2.3" }],
        },
      ],
    },
    { host: "c", reasons: [{ code: "host_silent", text: "nobody hears the agent" }] },
  ],
};

/** A server that knows the device and the VM, and answers a claim so. */
function deciding(answer: ClaimDecisionAnswer): TestServer {
  return {
    control: { claim: () => Promise.resolve(answer), listVms: () => pageOf(VM) },
    inventory: {
      readDevice: (host, device) => Promise.resolve({ generation: GENERATION, device: { host, id: device } as never }),
      listDevices: () => pageOf({ host: "a", id: UUID } as never, { host: "a", id: "0000:41:00.4" } as never),
    },
  };
}

const GRANTED_TEXT = `Claim 0199f3c2-0001 is held until 2026-11-20 14:51:00Z, on b, fence 3, for a:${UUID}

  FROM                                  DEVICE                                PLACE
  ${UUID}  ${MADE}  0000:6a:01.0/dsa-1dwq

It rests on what drivers declare and probes prove.

Next: berth confirm 0199f3c2-0001 has the devices made; berth release 0199f3c2-0001 gives the place back.
`;

const REFUSED_TEXT = `Not granted: a place is compatible, and there is no room now.  2 hosts tried.
  b
    device 1, p0/t: no room now [claim_no_room]
      short of 1 t on p0
    device 1, p1/t: a rule says no [claim_incompatible]
      R4   2.2 is older than 2.3 [software_version_minor]
  c
    nobody hears the agent [host_silent]
`;

describe("berth claim", () => {
  it("tells the device, its place, the fence and when it expires", async () => {
    const ran = await runWith(["claim", `a:${UUID}`], deciding(granted()));
    assert.deepEqual([ran.code, ran.complaint, ran.written], [0, "", GRANTED_TEXT]);
    assert.deepEqual(ran.calls.at(-1), ["claim", { for: { host: "a", device: UUID } }, {}]);
  });

  it("sends what the options say, and all devices of a VM", async () => {
    const options = [
      "--to",
      "b",
      "--ttl",
      "1h",
      "--make",
      "--dry-run",
      "--except-host",
      "c",
      "--except",
      "d",
      "--strategy",
      "spread",
    ];
    const ran = await runWith(["claim", "a:db1", ...options, "--idempotency-key", "k"], deciding(granted()));
    const body = {
      for: { host: "a", vm: VM.id },
      to: "b",
      ttlSeconds: 3600,
      make: true,
      dryRun: true,
      strategy: "spread",
      exceptHosts: ["c", "d"],
    };
    assert.deepEqual(ran.calls.at(-1), ["claim", body, { idempotencyKey: "k" }]);
  });

  it("tells every host that was tried with all reasons, and exits 5 without room", async () => {
    const ran = await runWith(["claim", UUID], deciding(REFUSED));
    assert.deepEqual([ran.code, ran.written], [5, REFUSED_TEXT]);
  });

  for (const [because, code] of [
    ["no", 3],
    ["unknown", 4],
    ["no-room", 5],
  ] as const) {
    it(`exits ${code} where it is refused with ${because}, also with --json`, async () => {
      const ran = await runWith(["claim", UUID, "--json"], deciding({ ...REFUSED, because, tried: [] }));
      assert.equal(ran.code, code);
      const document = JSON.parse(ran.written) as object;
      assert.deepEqual(document, { berth: "claim-decision/v1", ...REFUSED, because, tried: [], exitCode: code });
    });
  }

  it("tells a dry run from a claim, with the agent's steps and what it rests on", async () => {
    const [device] = claimOf().devices;
    const claim = claimOf({
      devices: [
        {
          ...device,
          identity: { kind: "vendor-vfio", address: "0000:41:00.4", slot: 2 },
          count: 2,
          units: ["05.0004"],
          values: [{ rule: "R6", attribute: "aggregator", value: "2" }],
        },
      ],
      restsOn: [
        { rule: "R10", code: "platform_assumed", text: "the policy assumes the platform", confidence: "assumed" },
      ],
      packs: [{ name: "nvidia", version: "1", digest: `sha256:${"a".repeat(64)}` }],
    });
    const answer = granted({
      dryRun: true,
      claim,
      steps: ["Write 5 to current_vgpu_type"],
      tried: [{ host: "c", reasons: [{ code: "host_cordoned", text: "cordoned" }] }],
    });
    const ran = await runWith(["claim", UUID, "--dry-run"], deciding(answer));
    assert.equal(
      ran.written,
      `A dry run: this would be granted; nothing was written.

Place on b, fence 3

  FROM                                  DEVICE               PLACE                      UNITS    SET THERE
  ${UUID}  0000:41:00.4 slot 2  0000:6a:01.0/dsa-1dwq x 2  05.0004  aggregator = 2

It rests on
  R10 the policy assumes the platform (assumed) [platform_assumed]
  pack nvidia 1 sha256:aaaaaaaaaaaa

The agent's steps
  1. Write 5 to current_vgpu_type

Tried before
  c
    cordoned [host_cordoned]
`,
    );
  });

  it("refuses a time that is none before it asks", async () => {
    for (const ttl of ["10", "0s", "2d"]) {
      const ran = await runWith(["claim", UUID, "--ttl", ttl], {});
      assert.deepEqual([ran.code, ran.connections.length], [2, 0]);
      assert.match(ran.complaint, /^berth: usage_bad_value: Cannot read --ttl /);
    }
  });
});

describe("berth claims", () => {
  const listing: TestServer = {
    control: {
      listClaims: () =>
        pageOf(
          claimOf(),
          claimOf({
            id: "0199f3c2-0002",
            state: "failed",
            claimant: { kind: "vm", host: "a", vm: "db\u001b1" },
            endedAtMs: NOW_MS,
            expiresAtMs: undefined as never,
            reason: { code: "eio", text: "EIO" },
          }),
        ),
    },
  };

  it("lists what holds room, as a table that no name can break", async () => {
    const ran = await runWith(["claims"], listing);
    assert.equal(
      ran.written,
      `CLAIM          STATE   HOST  FOR                                     DEVICES  FENCE  SINCE                 UNTIL                 NOTE
0199f3c2-0001  held    b     a:${UUID}  1        3      2026-11-20 14:41:00Z  2026-11-20 14:51:00Z
0199f3c2-0002  failed  b     VM a:db\\x1b1                            1        3      2026-11-20 14:41:00Z  2026-11-20 14:41:00Z  EIO
2 claims
`,
    );
    assert.deepEqual(ran.calls, [["listClaims", { limit: 1000, state: "open" }]]);
  });

  it("asks for one host, one state, or all", async () => {
    const asked = async (...args: readonly string[]): Promise<unknown> =>
      (await runWith(["claims", ...args], listing)).calls[0]?.[1];
    assert.deepEqual(await asked("--host", "b", "--state", "held"), { limit: 1000, host: "b", state: "held" });
    assert.deepEqual(await asked("--all"), { limit: 1000 });
    assert.equal((await runWith(["claims", "--all", "--state", "held"])).code, 2);
    assert.equal((await runWith(["claims", "--state", "lost"])).code, 2);
  });

  it("tells everything about one, found by the beginning of its id", async () => {
    const claim = claimOf({
      state: "releasing",
      reason: { code: "busy", text: "in use" },
      notice: { code: "ebusy", text: "EBUSY" },
    });
    const control = {
      listClaims: () => pageOf(claim, claimOf({ id: "0199f3c3-0001" })),
      readClaim: (id: string) =>
        id === claim.id
          ? Promise.resolve({ generation: GENERATION, claim })
          : Promise.reject(new BerthError("unknown_claim", `There is no claim ${id}`)),
    };
    const ran = await runWith(["claims", "0199f3c2"], { control });
    assert.equal(
      ran.written,
      `Claim 0199f3c2-0001 is releasing until 2026-11-20 14:51:00Z, on b, fence 3, for a:${UUID}

  FROM                                  DEVICE                                PLACE
  ${UUID}  ${MADE}  0000:6a:01.0/dsa-1dwq

Made by ann at 2026-11-20 14:41:00Z, revision 7.
Fingerprints
  ${MADE}: vfio-pci, version 1.5.0, build not known (must still be true when it is made)

It rests on what drivers declare and probes prove.

Reason: in use [busy]
The agent says: EBUSY [ebusy]
`,
    );
    assert.match(
      (await runWith(["claims", "0199f3"], { control })).complaint,
      /^berth: invalid_reference: 2 claims begin with "0199f3"/,
    );
    assert.match(
      (await runWith(["claims", "0299"], { control })).complaint,
      /^berth: unknown_claim: There is no claim 0299/,
    );
    assert.deepEqual((await runWith(["claims", "019"], { control })).calls, [["readClaim", "019"]]);
    assert.deepEqual(JSON.parse((await runWith(["claims", claim.id, "--json"], { control })).written), {
      berth: "claim/v1",
      generation: GENERATION,
      claim,
    });
  });
});

describe("berth claim --make --wait", () => {
  const granted = (state: ClaimItem["state"]) => ({
    kind: "granted" as const,
    generation: GENERATION,
    claim: claimOf({ id: "c1", state }),
    tried: [],
    dryRun: false,
    steps: [],
  });
  const ends = (...states: readonly ClaimItem["state"][]) => {
    const left = [...states];
    const claim = () => Promise.resolve(granted("provisioning"));
    const readClaim = (id: string) =>
      Promise.resolve({ generation: GENERATION, claim: claimOf({ id, state: left.shift() ?? "provisioning" }) });
    const readDevice = (host: string, device: string) =>
      Promise.resolve({ generation: GENERATION, device: { host, id: device } as never });
    return { control: { claim, readClaim }, inventory: { readDevice } };
  };
  const args = ["claim", "a:00000000-0000-4000-8000-000000000001", "--make", "--wait", "1s"];

  it("ends when the devices exist", async () => {
    const ran = await runWith(args, ends("provisioning", "provisioning", "bound"));
    assert.match(ran.written, /\nClaim c1 on b is bound\n$/);
    assert.equal(ran.code, 0);
  });

  it("fails where they could not be made, and where they do not exist in time", async () => {
    assert.equal((await runWith(args, ends("failed"))).code, 1);
    const late = await runWith(args, ends());
    assert.deepEqual([late.code, late.calls.filter(([name]) => name === "readClaim").length], [1, 5]);
  });

  it("is one JSON document, with the claim as it is in the end", async () => {
    const ran = await runWith([...args, "--json"], ends("bound"));
    const { claim, exitCode } = JSON.parse(ran.written) as { readonly claim: ClaimItem; readonly exitCode: number };
    assert.deepEqual([claim.state, exitCode], ["bound", 0]);
  });
});

describe("berth confirm, release, repair", () => {
  const answerOf = (state: ClaimItem["state"]) => (id: string) =>
    Promise.resolve({ generation: GENERATION, claim: claimOf({ id, state }) });

  it("say what the claim is now", async () => {
    const confirmed = await runWith(["confirm", "c1"], { control: { confirmClaim: answerOf("provisioning") } });
    assert.deepEqual(
      [confirmed.written, confirmed.calls],
      ["Claim c1 on b is provisioning\n", [["confirmClaim", "c1"]]],
    );
    const repaired = await runWith(["repair", "c1", "--json"], { control: { repairClaim: answerOf("bound") } });
    const claim = claimOf({ id: "c1", state: "bound" });
    assert.deepEqual(JSON.parse(repaired.written), { berth: "claim/v1", generation: GENERATION, claim });
  });

  it("has orphans cleared on the host that is named", async () => {
    const clearOrphans = (_host: string, id: string) => answerOf("releasing")(id);
    const ran = await runWith(["clear", "b", "c1"], { control: { clearOrphans } });
    assert.deepEqual([ran.written, ran.calls], ["Claim c1 on b is releasing\n", [["clearOrphans", "b", "c1"]]]);
    assert.equal((await runWith(["clear", "b"], { control: { clearOrphans } })).code, 2);
  });

  it("commits a move, with what becomes of the devices that were left", async () => {
    const commitClaim = (id: string) => answerOf("attached")(id);
    const plain = await runWith(["commit", "c1"], { control: { commitClaim } });
    assert.deepEqual(
      [plain.written, plain.calls],
      ["Claim c1 on b is attached\n", [["commitClaim", "c1", { source: "release" }]]],
    );
    const vacated = await runWith(["commit", "c1", "--source", "vacate"], { control: { commitClaim } });
    assert.deepEqual(vacated.calls, [["commitClaim", "c1", { source: "vacate" }]]);
    const wrong = await runWith(["commit", "c1", "--source", "burn"], { control: { commitClaim } });
    assert.deepEqual([wrong.code, wrong.calls], [2, []]);
  });

  it("release each claim, also behind one that is refused, and fail with every refusal", async () => {
    const releaseClaim = (id: string) =>
      id === "used1" || id === "used2"
        ? Promise.reject(new BerthError("claim_in_use", `A VM uses the devices of ${id}`))
        : answerOf("releasing")(id);
    const ran = await runWith(["release", "used1", "c1", "used2", "c2"], { control: { releaseClaim } });
    assert.equal(ran.written, "Claim c1 on b is releasing\nClaim c2 on b is releasing\n");
    assert.equal(
      ran.complaint,
      "berth: claim_in_use: A VM uses the devices of used1\n  - claim_in_use: A VM uses the devices of used2\n",
    );
    assert.equal(ran.code, 1);
    const json = await runWith(["release", "c1", "c2", "--json"], { control: { releaseClaim } });
    const { berth, items } = JSON.parse(json.written) as { berth: string; items: readonly ClaimItem[] };
    assert.deepEqual([json.code, berth, items.map(({ id }) => id)], [0, "claims/v1", ["c1", "c2"]]);
  });
});
