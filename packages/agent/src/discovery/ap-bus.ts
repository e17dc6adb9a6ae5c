// SPDX-License-Identifier: Apache-2.0

import type { ApBus, ApMatrix, ApQueue } from "@berth/core/device/ap-matrix";
import { absent } from "@berth/core/device/evidence";
import {
  parseApConfig,
  parseApMask,
  parseApMatrix,
  parseApqn,
  parseControlDomains,
  parseFeatureWords,
} from "@berth/core/sysfs/ap-matrix";
import { parseLine } from "@berth/core/sysfs/attribute-text";
import { parseDecimal } from "@berth/core/sysfs/numbers";
import { AP_BUS, AP_MATRIX } from "@berth/core/sysfs/paths";
import { explainParse, readAttribute } from "./read-attribute.ts";
import { listNames, resolveFolder } from "./read-directory.ts";
import { parseName, readLink } from "./read-link.ts";
import { evidenceOf, noteProblem } from "./scan.ts";
import type { Scan } from "./scan.ts";

/** Reads the AP bus of an s390 host (kernel: drivers/s390/crypto/ap_bus.c); undefined on other machines. */
export function readApBus(scan: Scan): ApBus | undefined {
  if (scan.tree.resolve(AP_BUS).kind === "absent") return undefined;
  const decimal = (name: string): ApBus["maxAdapterId"] =>
    readAttribute(scan, `${AP_BUS}/${name}`, (raw) => parseDecimal(raw, name));
  return {
    queues: readQueues(scan),
    controlDomains: readAttribute(scan, `${AP_BUS}/ap_control_domain_mask`, parseApMask),
    maxAdapterId: decimal("ap_max_adapter_id"),
    maxDomainId: decimal("ap_max_domain_id"),
    hostAdapters: readAttribute(scan, `${AP_BUS}/apmask`, parseApMask),
    hostDomains: readAttribute(scan, `${AP_BUS}/aqmask`, parseApMask),
    features: readAttribute(scan, `${AP_MATRIX}/features`, parseFeatureWords),
  };
}

/** Reads the matrix of a vfio-ap device (kernel: drivers/s390/crypto/vfio_ap_ops.c). */
export function readApMatrix(scan: Scan, device: string): ApMatrix {
  return {
    matrix: readAttribute(scan, { path: `${device}/matrix`, isRequired: true }, (raw) => parseApMatrix(raw).apqns),
    guestMatrix: readAttribute(scan, `${device}/guest_matrix`, (raw) => parseApMatrix(raw).apqns),
    controlDomains: readAttribute(scan, `${device}/control_domains`, parseControlDomains),
    apConfig: readAttribute(scan, `${device}/ap_config`, parseApConfig),
  };
}

type CardFacts = Pick<ApQueue, "hardwareType" | "cardType" | "functions">;

/** Queues by adapter, then domain: the order of their names. Cards stand beside them in the same folder. */
function readQueues(scan: Scan): readonly ApQueue[] {
  const folder = `${AP_BUS}/devices`;
  const cards = new Map<string, CardFacts>();
  const queues: ApQueue[] = [];
  for (const name of listNames(scan, folder)) {
    if (/^card[0-9a-f]{2}$/.test(name)) continue;
    const path = `${folder}/${name}`;
    try {
      const apqn = parseApqn(name);
      const queue = resolveFolder(scan, path);
      if (queue === undefined) continue;
      const card = name.slice(0, 2);
      const facts = cards.get(card) ?? readCard(scan, `${folder}/card${card}`);
      cards.set(card, facts);
      queues.push({
        apqn,
        driver: readLink(scan, `${queue}/driver`, { within: "drivers", parse: parseName, mayDangle: true }),
        ...facts,
      });
    } catch (error) {
      noteProblem(scan, { code: "name_malformed", path, message: explainParse(error) });
    }
  }
  return queues;
}

/** What the card of a queue says: the queue itself does not (kernel: ap_card.c, zcrypt_card.c). */
function readCard(scan: Scan, link: string): CardFacts {
  const card = resolveFolder(scan, link);
  if (card === undefined) {
    const nothing = absent(evidenceOf(scan, link));
    return { hardwareType: nothing, cardType: nothing, functions: nothing };
  }
  return {
    hardwareType: readAttribute(scan, `${card}/hwtype`, (raw) => parseDecimal(raw, "hwtype")),
    cardType: readAttribute(scan, `${card}/type`, (raw) => parseLine(raw, "type")),
    functions: readAttribute(scan, `${card}/ap_functions`, (raw) => parseLine(raw, "ap_functions")),
  };
}
