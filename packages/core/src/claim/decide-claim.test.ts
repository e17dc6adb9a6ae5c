// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { applyLedger } from "../capacity/ledger.ts";
import type { Occupant, Pool } from "../capacity/pool.ts";
import { giveBack } from "../capacity/take.ts";
import { STRICT_POLICY } from "../compatibility/policy.ts";
import { apBus, apMatrix } from "../compatibility/test-profile.ts";
import { DEVICES_MAX, TTL_MAX_MS } from "./check-request.ts";
import type { ClaimDecision, ClaimRequest } from "./claim-request.ts";
import { decideClaim } from "./decide-claim.ts";
import { NOBODY, offerTo, portsPool, requestOf, uuidOf, wanted } from "./test-claim.ts";

type Granted = Extract<ClaimDecision, { kind: "granted" }>;

function grant(parts: Partial<ClaimRequest> = {}): Granted {
  const decision = decideClaim(requestOf(parts));
  assert.ok(decision.kind === "granted", JSON.stringify(decision));
  return decision;
}

/** What is in the way, one line each: code, device and parent. */
function refusals(parts: Partial<ClaimRequest>): readonly string[] {
  const decision = decideClaim(requestOf(parts));
  assert.ok(decision.kind === "refused");
  return decision.reasons.map(({ code, device, parent }) =>
    [code, device, parent].filter((part) => part !== undefined).join(" "),
  );
}

function placesOf({ claim }: Granted): readonly string[] {
  return claim.devices.map(({ parent }) => parent);
}

function occupant(id: string, parent = "mtty", type = "mtty-1"): Occupant {
  return { id, type, count: 1, parent };
}

const TWO_PARENTS = [portsPool({ ports: 1, parents: ["p1"] }), portsPool({ ports: 1, parents: ["p2"] })];
const NO_P2P = { features: { p2p: false } };
/** Everything but R10 is the same; QEMU has not been asked and VFIO shows nothing. */
const SILENT = { source: { features: undefined }, destination: { features: undefined } };

describe("decideClaim()", () => {
  it("grants a place and names the very device", () => {
    const { claim, occupants, pools } = grant();
    assert.equal(claim.state, "held");
    assert.deepEqual(
      [claim.createdAtMs, claim.expiresAtMs, claim.fence, claim.principal],
      [1_000, 601_000, 1, "operator"],
    );
    assert.deepEqual(claim.devices[0].identity, { kind: "mdev", uuid: uuidOf(1) });
    assert.deepEqual(occupants, [occupant(uuidOf(1))]);
    assert.deepEqual(pools[0]?.occupants, occupants);
    assert.equal(claim.devices[0].source, "source-1");
  });

  it("gives the devices of one claim places of their own", () => {
    const offers = [offerTo("p1"), offerTo("p2")];
    assert.deepEqual(placesOf(grant({ devices: [wanted(1, offers), wanted(2, offers)], pools: TWO_PARENTS })), [
      "p1",
      "p2",
    ]);
  });

  it("lets an early device step aside where a later one has no other place", () => {
    const devices = [wanted(1, [offerTo("p1"), offerTo("p2")]), wanted(2, [offerTo("p1")])] as const;
    assert.deepEqual(placesOf(grant({ devices, pools: TWO_PARENTS })), ["p2", "p1"]);
  });

  it("grants all or nothing", () => {
    const offers = [offerTo("p1"), offerTo("p2")];
    const devices = [wanted(1, offers), wanted(2, offers), wanted(3, offers)] as const;
    assert.deepEqual(refusals({ devices, pools: TWO_PARENTS }), ["claim_not_together"]);
  });

  it("does not promise the last place twice", () => {
    const first = grant({ pools: [portsPool({ ports: 1 })] });
    const pools = [applyLedger(portsPool({ ports: 1 }), first.occupants)];
    const holders = { claimed: first.occupants.map(({ id }) => id), used: [] };
    assert.deepEqual(refusals({ id: "claim-2", devices: [wanted(2)], pools, holders }), ["claim_no_room 0 mtty"]);
  });

  it("says what is short", () => {
    const decision = decideClaim(requestOf({ pools: [portsPool({ ports: 1, occupants: [occupant("x")] })] }));
    assert.ok(decision.kind === "refused");
    assert.deepEqual(decision.reasons[0].short, { available_instances: 1, ports: 1 });
  });

  it("names a stranger that came since the search", () => {
    const pools = [portsPool({ ports: 2, occupants: [occupant("old"), occupant("new")] })];
    const holders = { claimed: [], used: [], seen: ["old"] };
    const decision = decideClaim(requestOf({ pools, holders }));
    assert.ok(decision.kind === "refused");
    assert.equal(decision.reasons[0].code, "claim_stranger");
    assert.match(decision.reasons[0].text, /^new took the place/);
  });

  it("blames no stranger without whom there would be no room either", () => {
    const pools = [portsPool({ ports: 2, occupants: [occupant("old", "mtty", "mtty-2"), occupant("new")] })];
    assert.deepEqual(refusals({ pools, holders: { claimed: [], used: [], seen: ["old"] } }), ["claim_no_room 0 mtty"]);
  });

  it("blames no stranger where it was a claim that came", () => {
    const pools = [portsPool({ ports: 1, occupants: [occupant("new")] })];
    assert.deepEqual(refusals({ pools, holders: { claimed: ["new"], used: [], seen: [] } }), ["claim_no_room 0 mtty"]);
  });

  it("takes the next offer where a stranger has taken the first", () => {
    const pools = [
      portsPool({ ports: 1, parents: ["p1"], occupants: [occupant("new", "p1")] }),
      ...TWO_PARENTS.slice(1),
    ];
    const devices = [wanted(1, [offerTo("p1"), offerTo("p2")])] as const;
    assert.deepEqual(placesOf(grant({ devices, pools, holders: { claimed: [], used: [], seen: [] } })), ["p2"]);
  });

  it("promises nothing where room is not known", () => {
    const law = { kind: "unknown", why: "nobody says how the types share" } as const;
    const held = portsPool({ ports: 4, law });
    const pools = [applyLedger(held, [occupant("claimed", "mtty", "mtty-2")])];
    assert.deepEqual(refusals({ pools }), ["claim_room_unknown 0 mtty"]);
    assert.deepEqual(refusals({ pools: [] }), ["claim_room_unknown 0 mtty"]);
  });

  it("refuses what is incompatible, with every rule", () => {
    const offer = offerTo("mtty", {
      source: { type: "mtty-2", softwareVersion: "2.0.0" },
      destination: { type: "mtty-1", softwareVersion: "1.0.0" },
    });
    const decision = decideClaim(requestOf({ devices: [wanted(1, [offer])] }));
    assert.ok(decision.kind === "refused");
    assert.equal(decision.reasons[0].code, "claim_incompatible");
    assert.deepEqual(
      decision.reasons[0].because?.map(({ rule }) => rule),
      ["R3", "R4"],
    );
  });

  it("needs a yes, not a perhaps", () => {
    const offer = offerTo("mtty", { source: { softwareVersion: "1.0.0" } });
    assert.deepEqual(refusals({ devices: [wanted(1, [offer])] }), ["claim_undetermined 0 mtty"]);
  });

  it("needs a platform of which the ability to migrate is known", () => {
    assert.deepEqual(refusals({ devices: [wanted(1, [offerTo("mtty", SILENT)])] }), [
      "claim_platform_undetermined 0 mtty",
    ]);
  });

  it("takes a platform on trust where the policy says so, and writes that down", () => {
    const offer = offerTo("mtty", { ...SILENT, policy: { ...STRICT_POLICY, assumePlatform: true } });
    const { restsOn } = grant({ devices: [wanted(1, [offer])] }).claim;
    assert.ok(restsOn.some(({ code, confidence }) => code === "platform_assumed" && confidence === "assumed"));
  });

  it("assumes the platform of a VM only where that is said of all its devices", () => {
    const assumed = offerTo("mtty", { ...SILENT, policy: { ...STRICT_POLICY, assumePlatform: true } });
    assert.equal(grant({ devices: [wanted(1, [assumed]), wanted(2, [assumed])] }).claim.devices.length, 2);
    assert.deepEqual(refusals({ devices: [wanted(1, [assumed]), wanted(2)] }), ["claim_platform_undetermined"]);
  });

  it("needs no P2P for one device", () => {
    assert.equal(grant({ devices: [wanted(1, [offerTo("mtty", { source: NO_P2P })])] }).claim.devices.length, 1);
  });

  it("needs P2P of several devices at both ends", () => {
    for (const parts of [{ source: NO_P2P }, { destination: NO_P2P }]) {
      const devices = [wanted(1), wanted(2, [offerTo("mtty", parts)])] as const;
      assert.deepEqual(refusals({ devices }), ["claim_platform_incompatible 1 mtty"]);
    }
  });

  it("passes over an offer that cannot take part in the whole", () => {
    const offers = [offerTo("p1", { destination: NO_P2P }), offerTo("p2")];
    const pools = [portsPool({ ports: 2, parents: ["p1"] }), portsPool({ ports: 2, parents: ["p2"] })];
    assert.deepEqual(placesOf(grant({ devices: [wanted(1, offers), wanted(2, offers)], pools })), ["p2", "p2"]);
  });

  it("reports every offer of every device", () => {
    const pools = [portsPool({ ports: 1, parents: ["p1"], occupants: [occupant("x", "p1")] }), ...TWO_PARENTS.slice(1)];
    const devices = [
      wanted(1, [offerTo("p1"), offerTo("p2", { source: { softwareVersion: "1.0.0" } })]),
      wanted(2, []),
    ] as const;
    assert.deepEqual(refusals({ devices, pools }), [
      "claim_undetermined 0 p2",
      "claim_no_room 0 p1",
      "claim_no_offer 1",
    ]);
  });

  it("carries the values to be set, in order, and which of them is the count", () => {
    const resources = { dynamicResources: ["fps", "aggregator"] };
    const offer = offerTo("mtty", {
      source: {
        ...resources,
        dynamicValues: { fps: "30", aggregator: "3" },
        aggregation: { count: 3, settable: true, attribute: "aggregator" },
      },
      destination: { ...resources, aggregation: { count: 1, settable: true } },
    });
    const [device] = grant({ devices: [wanted(1, [offer])] }).claim.devices;
    assert.deepEqual(
      device.values.map(({ attribute, value }) => `${attribute}=${value}`),
      ["fps=30", "aggregator=3"],
    );
    assert.deepEqual([device.count, device.countAttribute, device.occupant.count], [3, "aggregator", 3]);
    assert.deepEqual(refusals({ devices: [wanted(1, [offer])], pools: [portsPool({ ports: 2 })] }), [
      "claim_no_room 0 mtty",
    ]);
  });

  it("claims the very queues of a vfio-ap device", () => {
    const ap = { type: "vfio_ap-passthrough", deviceApi: "vfio-ap", module: "vfio_ap" } as const;
    const offer = offerTo("matrix", {
      source: { ...ap, ap: apMatrix("01.0005 01.0006"), apBus: apBus("01.0005 01.0006") },
      destination: { ...ap, apBus: apBus("01.0005 01.0006 02.0005 02.0006"), apTaken: [] },
    });
    const units = ["01.0005", "01.0006", "02.0005", "02.0006"];
    const pool: Pool = {
      ...portsPool({ ports: 0, parents: ["matrix"], law: { kind: "units", units } }),
      types: [{ type: ap.type, consumption: { counters: {} } }],
      offers: [{ parent: "matrix", type: ap.type, available: 10 }],
    };
    const [device] = grant({ devices: [wanted(1, [offer])], pools: [pool] }).claim.devices;
    assert.deepEqual(
      [device.units, device.occupant.units],
      [
        ["01.0005", "01.0006"],
        ["01.0005", "01.0006"],
      ],
    );
    const seen = { ...apMatrix("01.0005 01.0006"), guestMatrix: apMatrix("01.0005").guestMatrix };
    const less = { ...offer, source: { ...offer.source, ap: seen } };
    assert.deepEqual(grant({ devices: [wanted(1, [less])], pools: [pool] }).claim.devices[0].units, ["01.0005"]);
    const pools = [applyLedger(pool, [{ id: "x", type: ap.type, count: 1, parent: "matrix", units: ["01.0006"] }])];
    assert.deepEqual(refusals({ devices: [wanted(1, [offer])], pools }), ["claim_no_room 0 matrix"]);
  });

  it("names a virtual function by its address, and gives each to one device", () => {
    const [vf0, vf1] = ["0000:08:00.4", "0000:08:00.5"];
    const vf = { framework: "vendor-vfio", softwareVersion: "1.0.0" } as const;
    const pools = [portsPool({ ports: 4, parents: [vf0, vf1], perParent: 1 })];
    const offers = [vf0, vf1].map((parent) => offerTo(parent, { source: vf, destination: vf }));
    const { claim } = grant({ devices: [wanted(1, offers), wanted(2, offers)], pools });
    assert.deepEqual(
      claim.devices.map(({ identity, occupant: { id } }) => [identity, id]),
      [
        [{ kind: "vendor-vfio", address: vf0 }, vf0],
        [{ kind: "vendor-vfio", address: vf1 }, vf1],
      ],
    );
  });

  it("claims a function as it is, once", () => {
    const vf = { framework: "function", type: "mlx5-vf-v1", softwareVersion: "1.0.0" } as const;
    const at = { ...vf, subject: "device", id: "0000:09:00.1" } as const;
    const offer = offerTo("0000:09:00.1", { source: vf, destination: at });
    const devices = [wanted(1, [offer])] as const;
    const [device] = grant({ devices, pools: [] }).claim.devices;
    assert.deepEqual(device.identity, { kind: "function", address: "0000:09:00.1" });
    assert.deepEqual(refusals({ devices, pools: [], holders: { claimed: ["0000:09:00.1"], used: [] } }), [
      "claim_no_room 0 0000:09:00.1",
    ]);
    const stranger = { claimed: [], used: ["0000:09:00.1"], seen: [] };
    assert.deepEqual(refusals({ devices, pools: [], holders: stranger }), ["claim_stranger 0 0000:09:00.1"]);
    assert.deepEqual(refusals({ devices: [wanted(1, [offer]), wanted(2, [offer])], pools: [] }), [
      "claim_not_together",
    ]);
  });

  it("uses other placement slots than the pool would, where only those leave room for all", () => {
    const pool: Pool = {
      ...portsPool({ ports: 0, law: { kind: "slots", slots: 4 } }),
      types: [
        { type: "mtty-1", consumption: { counters: {}, slots: { length: 1, starts: [0, 1, 2, 3] } } },
        { type: "mtty-2", consumption: { counters: {}, slots: { length: 2, starts: [0, 2] } } },
      ],
      offers: [
        { parent: "mtty", type: "mtty-1", available: 4 },
        { parent: "mtty", type: "mtty-2", available: 2 },
      ],
    };
    const long = offerTo("mtty", { source: { type: "mtty-2" }, destination: { type: "mtty-2" } });
    const { occupants } = grant({ devices: [wanted(1), wanted(2, [long]), wanted(3)], pools: [pool] });
    const [a, b, c] = occupants.map(({ slot }) => slot);
    assert.ok(b === 0 || b === 2);
    assert.deepEqual(new Set([a, b, b + 1, c]), new Set([0, 1, 2, 3]));
  });

  it("gives back to the pools what they had (P4)", () => {
    const pools = [portsPool({ ports: 4, occupants: [occupant("x")] })];
    const { pools: after, occupants } = grant({ devices: [wanted(1), wanted(2)], pools });
    const restored = occupants.reduce((pool: Pool | undefined, { id }) => pool && giveBack(pool, id), after[0]);
    assert.deepEqual(restored?.occupants, pools[0]?.occupants);
    assert.equal(restored?.changed, false);
  });

  const NONSENSE: Readonly<Record<string, Partial<ClaimRequest>>> = {
    "an empty id": { id: "" },
    "no time to live": { ttlMs: 0 },
    "a time to live of more than a week": { ttlMs: TTL_MAX_MS + 1 },
    "a fence of 0": { fence: 0 },
    "a time that is no number": { nowMs: Number.NaN },
    "one UUID for two devices": { devices: [wanted(1), { ...wanted(2), uuid: uuidOf(1).toUpperCase() }] },
    "a UUID that is none": { devices: [{ ...wanted(1), uuid: "../x" }] },
    "an offer on another host": { devices: [wanted(1, [offerTo("mtty", { destination: { host: "c" } })])] },
    "an mdev device as it is": { devices: [wanted(1, [offerTo("mtty", { destination: { subject: "device" } })])] },
    "a function to be made": { devices: [wanted(1, [offerTo("mtty", { destination: { framework: "function" } })])] },
    "too many devices": {
      devices: Array.from({ length: DEVICES_MAX + 1 }, (_, at) => wanted(at)) as unknown as ClaimRequest["devices"],
    },
  };
  for (const [name, parts] of Object.entries(NONSENSE)) {
    it(`throws for ${name}`, () => {
      assert.throws(
        () => decideClaim(requestOf(parts)),
        (error) => error instanceof RangeError || error instanceof SyntaxError,
      );
    });
  }

  it("writes UUIDs in lower case, as the kernel shows them", () => {
    const uuid = "ABCDEFAB-0000-4000-8000-000000000001";
    assert.equal(grant({ devices: [{ ...wanted(1), uuid }] }).occupants[0]?.id, uuid.toLowerCase());
  });

  it("knows nobody by a name that objects have", () => {
    const pools = [portsPool({ ports: 1, parents: ["__proto__"] }), portsPool({ ports: 1, parents: ["constructor"] })];
    const offers = [offerTo("constructor"), offerTo("__proto__")];
    assert.deepEqual(placesOf(grant({ devices: [wanted(1, offers), wanted(2, offers)], pools, holders: NOBODY })), [
      "constructor",
      "__proto__",
    ]);
  });
});
