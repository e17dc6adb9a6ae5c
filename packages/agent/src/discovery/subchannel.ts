// SPDX-License-Identifier: Apache-2.0

import { parseSubchannelId } from "@berth/core/device/address";
import { absent, known, unreadable, valueOf } from "@berth/core/device/evidence";
import type { Reading } from "@berth/core/device/evidence";
import type { Subchannel } from "@berth/core/device/parent-device";
import { parseChpids, parseChpidType, parsePimPamPom, parseSubchannelType } from "@berth/core/sysfs/subchannel";
import { readAttribute } from "./read-attribute.ts";
import { compare, evidenceOf } from "./scan.ts";
import type { Scan } from "./scan.ts";

/** Reads the subchannel behind a vfio-ccw parent; undefined where the parent is none. */
export function readSubchannel(scan: Scan, parent: string, path: string): Subchannel | undefined {
  const isSubchannel = /^[0-9a-f]{1,2}\.[0-3]\.[0-9a-f]{4}$/i.test(parent);
  if (!isSubchannel) return undefined;
  const masks = readAttribute(scan, `${path}/pimpampom`, parsePimPamPom);
  const chpids = readAttribute(scan, { path: `${path}/chpids`, isRequired: true }, (raw) =>
    parseChpids(raw, valueOf(masks)?.pim),
  );
  return {
    id: parseSubchannelId(parent),
    type: readAttribute(scan, { path: `${path}/type`, isRequired: true }, parseSubchannelType),
    chpids,
    chpidTypes: readChpidTypes(scan, parent, chpids),
  };
}

/** The types of a subchannel's channel paths, each once, sorted. One that cannot be read leaves all unknown. */
function readChpidTypes(scan: Scan, parent: string, chpids: Reading<readonly string[]>): Reading<readonly string[]> {
  if (chpids.kind !== "known") return chpids;
  const css = parent.slice(0, parent.indexOf(".")).toLowerCase();
  const folder = `/sys/devices/css${css}`;
  const types = new Set<string>();
  for (const chpid of chpids.value) {
    const path = `${folder}/chp${css}.${chpid}/type`;
    const type = readAttribute(scan, { path, isRequired: true }, parseChpidType);
    if (type.kind === "unreadable") return type;
    if (type.kind === "absent") return unreadable(`the type of channel path ${chpid} is not there`, type.evidence);
    types.add(type.value);
  }
  const evidence = evidenceOf(scan, `${folder}/chp${css}.*/type`, { text: [...types].join(" ") });
  return types.size === 0 ? absent(evidence) : known([...types].sort(compare), evidence);
}
