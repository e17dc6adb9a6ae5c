// SPDX-License-Identifier: Apache-2.0

import { groupBy } from "../../device/group-by.ts";
import type { ApBus, ApQueue, Apqn } from "../../device/ap-matrix.ts";
import type { Reading } from "../../device/evidence.ts";
import type { MigrationProfile } from "../../device/migration-profile.ts";
import { combineFindings } from "../combine-findings.ts";
import { nothingAt, sideOf } from "../side.ts";
import { findings, NO_FINDINGS, type Findings, type Remedy } from "../verdict.ts";
import { formatApqn, formatApqns, indexQueues } from "./apqn.ts";

type Queues = Extract<Reading<readonly Apqn[]>, { readonly kind: "known" }>;
type Obstacle = "absent" | "unbound" | "binding-unknown" | "reserved" | "mask-unknown" | "taken";

/** What is said of the queues that meet one obstacle. */
interface Saying {
  readonly code: string;
  readonly what: string;
  readonly remedy?: (profile: MigrationProfile, count: number) => Remedy;
}

const RELEASE: Remedy = {
  kind: "change-setting",
  setting: "apmask and aqmask",
  value: "leave these queues to vfio_ap",
};

const REASONS: Readonly<Record<"absent" | "unbound" | "reserved" | "taken", Saying>> = {
  absent: { code: "ap_queue_absent", what: "the destination host does not have" },
  unbound: {
    code: "ap_queue_unbound",
    what: "the vfio_ap driver of the destination does not have",
    remedy: () => RELEASE,
  },
  reserved: {
    code: "ap_queue_reserved",
    what: "apmask and aqmask of the destination reserve to host drivers",
    remedy: () => RELEASE,
  },
  taken: {
    code: "ap_queue_taken",
    what: "another device of the destination host holds",
    remedy: ({ subject }, count) => ({
      kind: "free",
      count,
      type: "AP queue",
      on: `${subject.host}:${subject.parent}`,
    }),
  },
};

const GAPS: Readonly<Record<"binding-unknown" | "mask-unknown", Saying>> = {
  "binding-unknown": {
    code: "ap_queue_binding_unknown",
    what: "it cannot be read which driver of the destination has",
  },
  "mask-unknown": {
    code: "ap_mask_unknown",
    what: "it is not shown whether apmask and aqmask of the destination reserve",
  },
};

/**
 * Whether every queue of the source can be had at the destination: it exists, vfio_ap has it, host drivers do not reserve
 * it, no other device holds it (section 7.1). Each kind of obstacle is one finding that names its queues.
 */
export function checkObtainable(destination: MigrationProfile, queues: Queues): Findings {
  const { apBus, apTaken } = destination;
  if (apBus === undefined) {
    const text = "the AP bus of the destination host is not known";
    const ends = { source: sideOf(queues, formatApqns), destination: sideOf(nothingAt(destination, "AP bus")) };
    return findings({ missing: [{ rule: "R9", code: "ap_bus_unknown", text, ...ends }] });
  }
  const taken = apTaken === undefined ? undefined : new Set(apTaken.map((queue) => queue.toLowerCase()));
  const present = indexQueues(apBus);
  const met = groupBy(
    queues.value.flatMap((queue) =>
      obstaclesOf(queue, { bus: apBus, present, taken }).map((obstacle) => ({ queue, obstacle })),
    ),
    ({ obstacle }) => obstacle,
  );
  const parts = [...met].map(([obstacle, items]) =>
    report(destination, queues, { obstacle, queues: items.map(({ queue }) => queue) }),
  );
  return combineFindings([
    ...parts,
    taken === undefined && queues.value.length > 0 ? missTaken(destination, queues) : NO_FINDINGS,
  ]);
}

/** What the destination host has: its AP bus, the queues on it by number, and those that its other devices hold. */
interface Host {
  readonly bus: ApBus;
  readonly present: ReadonlyMap<string, ApQueue>;
  readonly taken: ReadonlySet<string> | undefined;
}

function obstaclesOf(apqn: Apqn, { bus, present, taken }: Host): readonly Obstacle[] {
  const queue = present.get(formatApqn(apqn));
  if (queue === undefined) return ["absent"];
  const { driver } = queue;
  const bound = driver.kind === "known" && driver.value === "vfio_ap";
  const masked = [covers(bus.hostAdapters, apqn.adapter), covers(bus.hostDomains, apqn.domain)];
  return [
    ...(driver.kind === "unreadable" ? (["binding-unknown"] as const) : bound ? [] : (["unbound"] as const)),
    // A queue belongs to host drivers where both masks have its bit; one clear bit is enough to set it free.
    ...(masked.includes(false)
      ? []
      : masked.includes(undefined)
        ? (["mask-unknown"] as const)
        : (["reserved"] as const)),
    ...(taken?.has(formatApqn(apqn)) === true ? (["taken"] as const) : []),
  ];
}

function covers(mask: Reading<readonly number[]>, number: number): boolean | undefined {
  return mask.kind === "known" ? mask.value.includes(number) : undefined;
}

function report(
  destination: MigrationProfile,
  wanted: Queues,
  met: { readonly obstacle: Obstacle; readonly queues: readonly Apqn[] },
): Findings {
  const { obstacle } = met;
  const { code, what, remedy } =
    obstacle === "binding-unknown" || obstacle === "mask-unknown" ? GAPS[obstacle] : REASONS[obstacle];
  const names = formatApqns(met.queues);
  const evidence = evidenceOf(destination, obstacle, met.queues[0]);
  const item = {
    rule: "R9",
    code,
    text: `${what} ${names}`,
    source: sideOf(wanted, formatApqns),
    destination: { value: `${obstacle}: ${names}`, evidence },
    ...(remedy === undefined ? {} : { remedy: remedy(destination, met.queues.length) }),
  } as const;
  return Object.hasOwn(GAPS, obstacle) ? findings({ missing: [item] }) : findings({ reasons: [item] });
}

function evidenceOf(
  destination: MigrationProfile,
  obstacle: Obstacle,
  apqn: Apqn | undefined,
): Reading<unknown>["evidence"] {
  const bus = destination.apBus;
  const queue = bus === undefined || apqn === undefined ? undefined : indexQueues(bus).get(formatApqn(apqn));
  if (obstacle === "reserved" || obstacle === "mask-unknown") {
    return bus?.hostAdapters.evidence ?? nothingAt(destination, "AP bus").evidence;
  }
  const places = { absent: "/sys/bus/ap/devices", taken: "AP matrices of the host's other devices" } as const;
  if (obstacle === "absent" || obstacle === "taken") {
    return { host: destination.subject.host, source: "sysfs", path: places[obstacle] };
  }
  return queue?.driver.evidence ?? nothingAt(destination, "AP bus").evidence;
}

function missTaken(destination: MigrationProfile, queues: Queues): Findings {
  const text = "it is not known which queues the other devices of the destination host hold";
  const ends = {
    source: sideOf(queues, formatApqns),
    destination: sideOf(nothingAt(destination, "AP matrices of other devices")),
  };
  return findings({ missing: [{ rule: "R9", code: "ap_taken_unknown", text, ...ends }] });
}
