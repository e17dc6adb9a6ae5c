// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseSubchannelId } from "../../device/address.ts";
import { unreadable } from "../../device/evidence.ts";
import type { MigrationProfile } from "../../device/migration-profile.ts";
import { linesOf, pairOf, profile, reading } from "../test-profile.ts";
import { checkCcwIdentity } from "./ccw-identity.ts";

interface Paths {
  readonly type?: number;
  readonly chpids?: readonly string[];
  readonly types?: readonly string[];
  readonly identity?: string;
}

function ccw({ type = 0, chpids = ["50", "51"], types = ["1a"], identity }: Paths = {}): MigrationProfile {
  return profile({
    type: "vfio_ccw-io",
    deviceApi: "vfio-ccw",
    subchannel: {
      id: parseSubchannelId("0.0.0313"),
      type: reading(type),
      chpids: reading(chpids),
      chpidTypes: reading(types),
    },
    facts: identity === undefined ? {} : { device_identity: identity },
  });
}

const DISK = { identity: "IBM.750000000AB121.0313" };
const DECLARED = "rests ccw_identity_declared (declared)";
const UNDECLARED = "missing ccw_identity_undeclared";
const bare = profile({ type: "vfio_ccw-io", deviceApi: "vfio-ccw" });
const torn = ccw(DISK);
const TORN: MigrationProfile = {
  ...torn,
  subchannel: { ...torn.subchannel!, chpidTypes: unreadable("EIO", torn.type.evidence) },
};

const CASES: Record<string, { from: MigrationProfile; to: MigrationProfile; lines: string[] }> = {
  "7.2 does not know the identity of equal paths, whatever their ids": {
    from: ccw(),
    to: ccw({ chpids: ["60", "61"] }),
    lines: [UNDECLARED],
  },
  "7.2 is content with equal paths and a declared identity": {
    from: ccw(DISK),
    to: ccw({ ...DISK, chpids: ["60", "61"] }),
    lines: [DECLARED],
  },
  "7.2 refuses subchannel type 0 against 1": {
    from: ccw(DISK),
    to: ccw({ ...DISK, type: 1 }),
    lines: ["no ccw_subchannel_type", DECLARED],
  },
  "7.2 accepts 1a against 1a and 1b": { from: ccw(DISK), to: ccw({ ...DISK, types: ["1a", "1b"] }), lines: [DECLARED] },
  "7.2 refuses 1a and 1b against 1a": {
    from: ccw({ ...DISK, types: ["1a", "1b"] }),
    to: ccw(DISK),
    lines: ["no ccw_path_type", DECLARED],
  },
  "7.2 does not compare the number of paths": {
    from: ccw({ ...DISK, chpids: ["50", "51", "52", "53"] }),
    to: ccw(DISK),
    lines: [DECLARED],
  },
  "refuses two declared identities": { from: ccw(DISK), to: ccw({ identity: "another" }), lines: ["no ccw_identity"] },
  "takes no empty declaration, for a yes or for a no": {
    from: ccw({ identity: " " }),
    to: ccw({ identity: " " }),
    lines: [UNDECLARED],
  },
  "takes an empty declaration at one end for none": { from: ccw(DISK), to: ccw({ identity: "" }), lines: [UNDECLARED] },
  "takes one identity with white space around it for the same": {
    from: ccw(DISK),
    to: ccw({ identity: ` ${DISK.identity} ` }),
    lines: [DECLARED],
  },
  "7.2 takes 9 and 0x09 for one path type": {
    from: ccw({ ...DISK, types: ["9"] }),
    to: ccw({ ...DISK, types: ["0x09"] }),
    lines: [DECLARED],
  },
  "lacks the path types of a subchannel without paths": {
    from: ccw({ ...DISK, types: [] }),
    to: ccw({ ...DISK, types: [] }),
    lines: ["missing ccw_path_type_unknown", DECLARED],
  },
  "lacks an identity that one side alone declares": { from: ccw(DISK), to: ccw(), lines: [UNDECLARED] },
  "lacks the subchannel": {
    from: bare,
    to: ccw(DISK),
    lines: ["missing ccw_subchannel_type_unknown", "missing ccw_path_type_unknown", UNDECLARED],
  },
  "lacks unreadable path types": { from: TORN, to: ccw(DISK), lines: ["missing ccw_path_type_unknown", DECLARED] },
  "does not apply to other interfaces": { from: profile(), to: profile(), lines: [] },
};

describe("checkCcwIdentity()", () => {
  for (const [name, { from, to, lines }] of Object.entries(CASES)) {
    it(name, () => assert.deepEqual(linesOf(checkCcwIdentity(pairOf(from, to))).toSorted(), lines.toSorted()));
  }

  it("asks for the declaration", () => {
    assert.deepEqual(checkCcwIdentity(pairOf(ccw(), ccw())).missing[0]?.remedy, {
      kind: "declare",
      fact: "device_identity",
    });
  });
});
