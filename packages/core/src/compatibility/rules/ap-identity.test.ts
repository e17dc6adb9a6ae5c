// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ApBus, ApMatrix } from "../../device/ap-matrix.ts";
import { unreadable } from "../../device/evidence.ts";
import type { MigrationProfile } from "../../device/migration-profile.ts";
import { apBus, apMatrix, apqns, linesOf, nothing, pairOf, profile, reading } from "../test-profile.ts";
import { checkApIdentity } from "./ap-identity.ts";

const QUEUES = "01.0005 01.0006";
const GUEST1 = "01.0005 01.0006 02.0005 02.0006";
const LATER = { features: reading(["guest_matrix", "hotplug", "ap_config"]) };
const WARNINGS = ["note ap_bind_state_unseen", "note ap_master_keys"];
const AP = { type: "vfio_ap-passthrough", deviceApi: "vfio-ap", parent: "matrix" } as const;

interface Parts {
  readonly ap?: ApMatrix;
  readonly bus?: ApBus;
  readonly taken?: readonly string[];
  readonly facts?: Readonly<Record<string, string>>;
}

function device({ ap = apMatrix(QUEUES), bus = apBus(QUEUES), taken = [], facts = {} }: Parts = {}): MigrationProfile {
  return profile({ ...AP, ap, apBus: bus, apTaken: taken, facts });
}
function type({ bus = apBus(QUEUES), taken = [] }: Parts = {}): MigrationProfile {
  return profile({ ...AP, subject: "type", apBus: bus, apTaken: taken });
}

const ONE = device({ ap: apMatrix("01.0005") });
const EIO = unreadable("EIO", ONE.type.evidence);
const HIDDEN: ApMatrix = { ...apMatrix(QUEUES), guestMatrix: reading(apqns("01.0005")) };
const CONFIG = `claim ap_config=0x4${"0".repeat(63)},0x06${"0".repeat(62)},0x${"0".repeat(64)}`;
const { apBus: _bus, ...BUSLESS } = device();
const { apTaken: _taken, ...TAKENLESS } = device();

const CASES: Record<string, { from: MigrationProfile; to: MigrationProfile; lines: string[] }> = {
  "7.1 is content with the same queues on a newer card, and warns of the keys": {
    from: device(),
    to: device({ bus: apBus(QUEUES, "CEX8C") }),
    lines: [],
  },
  "7.1 refuses another matrix by the first revision's rule": {
    from: ONE,
    to: device(),
    lines: ["no ap_matrix_differs", "note ap_rule_first"],
  },
  "7.1 claims another matrix by the later revision's rule": {
    from: ONE,
    to: device({ bus: apBus(QUEUES, "CEX7C", LATER) }),
    lines: [`claim ap_config=0x4${"0".repeat(63)},0x04${"0".repeat(62)},0x${"0".repeat(64)}`, "note ap_rule_later"],
  },
  "7.1 refuses a host that has other queues only": {
    from: ONE,
    to: type({ bus: apBus("02.0005") }),
    lines: ["no ap_queue_absent", "claim assign_adapter=1", "claim assign_domain=5"],
  },
  "7.1 refuses an older card": {
    from: device({ bus: apBus(QUEUES, "CEX8C") }),
    to: device(),
    lines: ["no ap_card_type"],
  },
  "7.1 refuses a coprocessor against an accelerator": {
    from: device(),
    to: device({ bus: apBus(QUEUES, "CEX7A") }),
    lines: ["no ap_card_mode"],
  },
  "7.1 refuses a queue that the destination's guest would not see": {
    from: device(),
    to: device({ ap: HIDDEN }),
    lines: ["no ap_queue_filtered"],
  },
  "asks for what the source's guest sees, not for what was assigned": {
    from: device({ ap: HIDDEN }),
    to: device({ ap: apMatrix("01.0005") }),
    lines: ["note ap_matrix_filtered"],
  },
  "asks for the assigned matrix where the kernel shows no guest_matrix": {
    from: device({ ap: { ...apMatrix(QUEUES), guestMatrix: nothing() } }),
    to: device(),
    lines: [],
  },
  "claims the matrix of a new device at once where the driver can": {
    from: device(),
    to: type({ bus: apBus(QUEUES, "CEX7C", LATER) }),
    lines: [CONFIG],
  },
  "claims the matrix of a new device number by number elsewhere": {
    from: device({ ap: apMatrix(QUEUES, [6]) }),
    to: type(),
    lines: [
      "claim assign_adapter=1",
      "claim assign_domain=5",
      "claim assign_domain=6",
      "claim assign_control_domain=6",
    ],
  },
  "refuses queues that another device holds": {
    from: device(),
    to: device({ taken: ["01.0006"] }),
    lines: ["no ap_queue_taken"],
  },
  "refuses queues that another driver has": {
    from: device(),
    to: device({ bus: apBus(QUEUES, "CEX7C", { driver: reading("cex4queue") }) }),
    lines: ["no ap_queue_unbound"],
  },
  "refuses queues that no driver has": {
    from: device(),
    to: device({ bus: apBus(QUEUES, "CEX7C", { driver: nothing() }) }),
    lines: ["no ap_queue_unbound"],
  },
  "refuses queues of which both masks have the bit": {
    from: device(),
    to: device({ bus: apBus(QUEUES, "CEX7C", { hostAdapters: reading([1]), hostDomains: reading([5]) }) }),
    lines: ["no ap_queue_reserved"],
  },
  "lets queues pass of which one mask has the bit": {
    from: device(),
    to: device({ bus: apBus(QUEUES, "CEX7C", { hostAdapters: reading([1]), hostDomains: reading([9]) }) }),
    lines: [],
  },
  "lacks a mask that could reserve the queues": {
    from: device(),
    to: device({ bus: apBus(QUEUES, "CEX7C", { hostAdapters: reading([1]), hostDomains: EIO }) }),
    lines: ["missing ap_mask_unknown"],
  },
  "lacks a driver that cannot be read": {
    from: device(),
    to: device({ bus: apBus(QUEUES, "CEX7C", { driver: EIO }) }),
    lines: ["missing ap_queue_binding_unknown"],
  },
  "refuses control domains that the host does not have": {
    from: device({ ap: apMatrix(QUEUES, [5, 9]) }),
    to: device({ ap: apMatrix(QUEUES, [5, 9]) }),
    lines: ["no ap_control_domains"],
  },
  "refuses a device without the source's control domains by the first revision's rule": {
    from: device({ ap: apMatrix(QUEUES, [5]) }),
    to: device(),
    lines: ["no ap_matrix_differs", "note ap_rule_first"],
  },
  "accepts a device with more control domains": {
    from: device(),
    to: device({ ap: apMatrix(QUEUES, [5]) }),
    lines: [],
  },
  "refuses other facility bits": {
    from: ONE,
    to: device({ ap: apMatrix("01.0005"), bus: apBus("01.0005", "CEX7C", { functions: reading("0x93800000") }) }),
    lines: ["no ap_facilities"],
  },
  "does not compare bits that say nothing of the facilities": {
    from: ONE,
    to: device({ ap: apMatrix("01.0005"), bus: apBus("01.0005", "CEX7C", { functions: reading("0x9280ffff") }) }),
    lines: [],
  },
  "refuses stateless functions where the source has native ones": {
    from: ONE,
    to: device({ ap: apMatrix("01.0005"), bus: apBus("01.0005", "CEX7C", { functions: reading("0x92400000") }) }),
    lines: ["no ap_classification"],
  },
  "accepts native functions where the source is stateless": {
    from: device({ ap: apMatrix("01.0005"), bus: apBus("01.0005", "CEX7C", { functions: reading("0x92400000") }) }),
    to: device({ ap: apMatrix("01.0005") }),
    lines: [],
  },
  "lacks a classification that the destination does not show": {
    from: ONE,
    to: device({ ap: apMatrix("01.0005"), bus: apBus("01.0005", "CEX7C", { functions: reading("0x92000000") }) }),
    lines: ["missing ap_hardware_unknown"],
  },
  "lacks a classification that the destination of a stateless queue does not show": {
    from: device({ ap: apMatrix("01.0005"), bus: apBus("01.0005", "CEX7C", { functions: reading("0x92400000") }) }),
    to: device({ ap: apMatrix("01.0005"), bus: apBus("01.0005", "CEX7C", { functions: reading("0x92000000") }) }),
    lines: ["missing ap_hardware_unknown"],
  },
  "refuses a third classification for a stateless queue": {
    from: device({ ap: apMatrix("01.0005"), bus: apBus("01.0005", "CEX7C", { functions: reading("0x92400000") }) }),
    to: device({ ap: apMatrix("01.0005"), bus: apBus("01.0005", "CEX7C", { functions: reading("0x92200000") }) }),
    lines: ["no ap_classification"],
  },
  "accepts equal classifications, stateless or not shown": {
    from: device({ ap: apMatrix("01.0005"), bus: apBus("01.0005", "CEX7C", { functions: reading("0x92000000") }) }),
    to: device({ ap: apMatrix("01.0005"), bus: apBus("01.0005", "CEX7C", { functions: reading("0x92000000") }) }),
    lines: [],
  },
  "7.1 claims the documented guest1, adapters 1 and 2 with domains 5 and 6": {
    from: device({ ap: apMatrix(GUEST1), bus: apBus(GUEST1) }),
    to: type({ bus: apBus(GUEST1, "CEX7C", LATER) }),
    lines: [`claim ap_config=0x60${"0".repeat(62)},0x06${"0".repeat(62)},0x${"0".repeat(64)}`],
  },
  "7.1 accepts the documented guest2 beside guest1, adapters 1 and 2 with domain 7": {
    from: device({ ap: apMatrix("01.0007 02.0007"), bus: apBus("01.0007 02.0007") }),
    to: type({ bus: apBus(`${GUEST1} 01.0007 02.0007`), taken: GUEST1.split(" ") }),
    lines: ["claim assign_adapter=1", "claim assign_adapter=2", "claim assign_domain=7"],
  },
  "7.1 refuses the documented guest2 that shares (1,6) with guest1": {
    from: device({ ap: apMatrix("01.0006 01.0007"), bus: apBus("01.0006 01.0007") }),
    to: type({ bus: apBus(`${GUEST1} 01.0007`), taken: GUEST1.split(" ") }),
    lines: ["no ap_queue_taken", "claim assign_adapter=1", "claim assign_domain=6", "claim assign_domain=7"],
  },
  "lacks facility bits that are no word": {
    from: ONE,
    to: device({ ap: apMatrix("01.0005"), bus: apBus("01.0005", "CEX7C", { functions: reading("many") }) }),
    lines: ["missing ap_hardware_unknown"],
  },
  "lacks everything of a card that is not read": {
    from: device({ ap: apMatrix("01.0005"), bus: apBus("02.0005") }),
    to: device({ ap: apMatrix("01.0005") }),
    lines: ["missing ap_hardware_unknown"],
  },
  "lacks the bus of the destination": {
    from: device(),
    to: BUSLESS,
    lines: ["missing ap_bus_unknown"],
  },
  "lacks what other devices hold": { from: device(), to: TAKENLESS, lines: ["missing ap_taken_unknown"] },
  "lacks a matrix that cannot be read": {
    from: device({ ap: { ...apMatrix(QUEUES), guestMatrix: EIO } }),
    to: device(),
    lines: ["missing ap_matrix_unknown"],
  },
  "lacks a matrix that no assignment makes": {
    from: device({ ap: apMatrix("01.0005 02.0006"), bus: apBus("01.0005 02.0006") }),
    to: type({ bus: apBus("01.0005 02.0006") }),
    lines: ["missing ap_matrix_not_product"],
  },
  "lacks whether ap_config can be written": {
    from: ONE,
    to: device({ bus: apBus(QUEUES, "CEX7C", { features: EIO }) }),
    lines: ["missing ap_features_unknown"],
  },
  "lacks the matrix of the destination device": {
    from: device(),
    to: device({ ap: { ...apMatrix(QUEUES), matrix: EIO } }),
    lines: ["missing ap_destination_matrix_unknown"],
  },
  "notes a guest without queues": {
    from: device({ ap: apMatrix("") }),
    to: device({ ap: apMatrix("") }),
    lines: ["note ap_matrix_empty"],
  },
  "refuses a queue that is bound at the destination": {
    from: device({ facts: { ap_bind_state: "0" } }),
    to: device({ facts: { ap_bind_state: "associated" } }),
    lines: ["no ap_bind_state"],
  },
  "refuses a bound queue": {
    from: device({ facts: { ap_bind_state: "bound" } }),
    to: device({ facts: { ap_bind_state: "0" } }),
    lines: ["no ap_bind_state"],
  },
};

describe("checkApIdentity()", () => {
  for (const [name, { from, to, lines }] of Object.entries(CASES)) {
    it(name, () => {
      const found = linesOf(checkApIdentity(pairOf(from, to))).filter((line) => !WARNINGS.includes(line));
      assert.deepEqual(found, lines);
    });
  }

  it("always warns of master keys and of the unseen bind state", () => {
    assert.deepEqual(linesOf(checkApIdentity(pairOf(device(), device()))), WARNINGS);
  });

  it("does not apply to other interfaces", () => {
    assert.deepEqual(linesOf(checkApIdentity(pairOf(profile(), profile()))), []);
  });

  it("names the queues of like cards in one reason, and those of unlike cards in one each", () => {
    const older = device({ bus: apBus(QUEUES, "CEX6C") });
    assert.deepEqual(
      checkApIdentity(pairOf(device(), older)).reasons.map(({ text }) => text),
      ["the card of queues 01.0005, 01.0006 is older at the destination: type 12, and 13 at the source"],
    );
    const mixed = {
      ...apBus(QUEUES),
      queues: [...apBus("01.0005", "CEX5C").queues, ...apBus("01.0006", "CEX6C").queues],
    };
    assert.deepEqual(
      checkApIdentity(pairOf(device(), device({ bus: mixed }))).reasons.map(({ text }) => text.slice(0, 26)),
      ["the card of queue 01.0005 ", "the card of queue 01.0006 "],
    );
  });

  it("looks at every queue of a full machine without looking at every other one for each", () => {
    const names = Array.from({ length: 64 * 85 }, (_, at) => {
      const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");
      return `${hex(Math.floor(at / 85), 2)}.${hex(at % 85, 4)}`;
    }).join(" ");
    let reads = 0;
    const bus = apBus(names);
    const queues = bus.queues.map((queue) => ({
      ...queue,
      get apqn() {
        reads += 1;
        return queue.apqn;
      },
    }));
    const full = { ...bus, queues };
    assert.deepEqual(
      checkApIdentity(pairOf(device({ ap: apMatrix(names), bus: full }), type({ bus: full }))).reasons,
      [],
    );
    assert.ok(reads < 20 * queues.length, `${reads} reads of ${queues.length} queues`);
  });

  it("names the queues of an obstacle in one reason, with a remedy", () => {
    const [reason, ...more] = checkApIdentity(pairOf(device(), device({ taken: ["01.0005", "01.0006"] }))).reasons;
    assert.deepEqual(more, []);
    assert.equal(reason?.text, "another device of the destination host holds 01.0005, 01.0006");
    assert.deepEqual(reason?.remedy, { kind: "free", count: 2, type: "AP queue", on: "a:matrix" });
  });

  it("7.1 says of a queue that the guest would not see what would mend it: it is a no for now", () => {
    const [reason] = checkApIdentity(pairOf(device(), device({ ap: HIDDEN }))).reasons;
    assert.deepEqual(reason?.remedy, {
      kind: "change-setting",
      setting: "AP queues 01.0006 on a",
      value: "online and bound to vfio_ap, with every other queue of their adapters and domains in the matrix",
    });
  });

  it("7.1 names every differing bit of section 7.1 one by one as a facility", () => {
    for (const bit of [31, 30, 29, 28, 27, 26, 25, 24]) {
      const functions = reading(`0x${((0x92800000 ^ (1 << bit)) >>> 0).toString(16)}`);
      const to = device({ ap: apMatrix("01.0005"), bus: apBus("01.0005", "CEX7C", { functions }) });
      const codes = checkApIdentity(pairOf(ONE, to)).reasons.map(({ code }) => code);
      assert.deepEqual(codes, ["ap_facilities"], `bit ${bit}`);
    }
  });

  it("offers to re-create a device whose matrix differs", () => {
    const [reason] = checkApIdentity(pairOf(ONE, device())).reasons;
    assert.deepEqual(reason?.remedy, { kind: "recreate", type: "vfio_ap-passthrough" });
  });
});
