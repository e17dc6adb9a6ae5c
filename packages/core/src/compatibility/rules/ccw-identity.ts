// SPDX-License-Identifier: Apache-2.0

import type { Reading } from "../../device/evidence.ts";
import type { MigrationProfile } from "../../device/migration-profile.ts";
import { combineFindings } from "../combine-findings.ts";
import type { Pair } from "../pair.ts";
import { describeGaps, factOf, nothingAt, sidesOf } from "../side.ts";
import { findings, NO_FINDINGS, type Findings } from "../verdict.ts";
import { findLacking } from "./compatible-fields.ts";
import { speaksApi } from "./device-api.ts";

/**
 * R9 for vfio-ccw: equal subchannel types, the destination's channel path types a superset of the source's, and a
 * declared device identity (section 7.2). Path ids and masks differ between systems and are not compared. Equal paths do
 * not prove that it is the same disk: the fact `device_identity` has to be supplied for both ends.
 */
export function checkCcwIdentity(pair: Pair): Findings {
  if (!speaksApi(pair, "vfio-ccw")) return NO_FINDINGS;
  return combineFindings([checkSubchannelType(pair), checkPathTypes(pair), checkDeclaredIdentity(pair)]);
}

function checkSubchannelType({ source, destination }: Pair): Findings {
  const [left, right] = [subchannelType(source), subchannelType(destination)];
  const sides = sidesOf(left, right);
  if (left.kind !== "known" || right.kind !== "known") {
    const text = describeGaps("the subchannel type", left, right);
    return findings({ missing: [{ rule: "R9", code: "ccw_subchannel_type_unknown", text, ...sides }] });
  }
  if (left.value === right.value) return NO_FINDINGS;
  const text = `the subchannel type is ${left.value} at the source and ${right.value} at the destination`;
  return findings({ reasons: [{ rule: "R9", code: "ccw_subchannel_type", text, ...sides }] });
}

function subchannelType(profile: MigrationProfile): Reading<number> {
  return profile.subchannel?.type ?? nothingAt(profile, `subchannel of ${profile.subject.parent}`);
}

function checkPathTypes({ source, destination }: Pair): Findings {
  const [left, right] = [pathTypes(source), pathTypes(destination)];
  const sides = sidesOf(left, right, (types) => types.join(", "));
  if (left.kind !== "known" || right.kind !== "known") {
    const text = describeGaps("the channel path type", left, right);
    return findings({ missing: [{ rule: "R9", code: "ccw_path_type_unknown", text, ...sides }] });
  }
  if (left.value.length === 0) {
    const text = "the source's subchannel shows no channel path, so there is no path type to look for";
    return findings({ missing: [{ rule: "R9", code: "ccw_path_type_unknown", text, ...sides }] });
  }
  const lacking = findLacking("chpid_type", left.value, right.value);
  if (lacking.length === 0) return NO_FINDINGS;
  const text = `no channel path of the destination is of type ${lacking.join(", ")}`;
  return findings({ reasons: [{ rule: "R9", code: "ccw_path_type", text, ...sides }] });
}

function pathTypes(profile: MigrationProfile): Reading<readonly string[]> {
  return profile.subchannel?.chpidTypes ?? nothingAt(profile, `channel paths of ${profile.subject.parent}`);
}

function checkDeclaredIdentity({ source, destination }: Pair): Findings {
  const [left, right] = [identityOf(source), identityOf(destination)];
  const sides = sidesOf(left, right);
  if (left.kind !== "known" || right.kind !== "known") {
    const text = `path-level facts alone do not prove that it is the same device: ${describeGaps("device_identity", left, right)}`;
    const remedy = { kind: "declare", fact: "device_identity" } as const;
    return findings({ missing: [{ rule: "R9", code: "ccw_identity_undeclared", text, ...sides, remedy }] });
  }
  if (left.value !== right.value) {
    const text = `device_identity is ${JSON.stringify(left.value)} at the source and ${JSON.stringify(right.value)} at the destination`;
    return findings({ reasons: [{ rule: "R9", code: "ccw_identity", text, ...sides }] });
  }
  const text = `both ends are declared to be device ${left.value}`;
  return findings({ restsOn: [{ rule: "R9", code: "ccw_identity_declared", text, confidence: "declared", ...sides }] });
}

/** A declaration of nothing is none. */
function identityOf(profile: MigrationProfile): Reading<string> {
  const reading = factOf(profile, "device_identity");
  if (reading.kind !== "known") return reading;
  const value = reading.value.trim();
  return value === "" ? { kind: "absent", evidence: reading.evidence } : { ...reading, value };
}
