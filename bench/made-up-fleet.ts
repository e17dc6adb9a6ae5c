// SPDX-License-Identifier: Apache-2.0

import { absent, known, type Evidence } from "@berth/core/device/evidence";
import { parseTypeId } from "@berth/core/device/mdev-type";
import type { MigrationProfile } from "@berth/core/device/migration-profile";
import { seededNumbers } from "./seeded-numbers.ts";

const TYPES = 60;
const MAJORS = 6;
const MINORS = 100;
const IDS = 64;
export const PLACES_PER_HOST = 10;
/** Free counts are 0 to this. */
export const MOST_FREE = 16;
const DRIVERS = ["nvidia", "i915", "idxd", "mtty", "qat"];

/** What the benchmark varies of a profile. */
export interface Kind {
  readonly type: number;
  readonly major: number;
  readonly minor: number;
  /** One to four ids of 64, sorted. */
  readonly ids: readonly number[];
}

/** One place of the fleet: a kind by number, on a host, with room for so many. */
export interface FleetPlace {
  readonly host: number;
  readonly kind: number;
  readonly name: string;
  readonly free: number;
}

/** A fleet from a seed: what kinds there are, and a walk over its places. */
export interface MadeUpFleet {
  readonly hosts: number;
  readonly kinds: readonly Kind[];
  /** Calls `visit` for every place, host by host; hosts come in no order of their names. */
  readonly walk: (visit: (place: FleetPlace) => void) => void;
}

/** Every type has a chain of four growing sets of ids, one to four of them. */
function idsOf(type: number, step: number): readonly number[] {
  const first = (type * 7) % IDS;
  return Array.from({ length: step + 1 }, (_, index) => (first + index * 11) % IDS).sort((a, b) => a - b);
}

/**
 * Makes a fleet up. Each of the 36,000 combinations of type, major and minor exists twice, with two sets of ids, as two
 * generations of hardware under one driver release: 72,000 kinds.
 */
export function madeUpFleet(hosts: number, seed: number): MadeUpFleet {
  const numbers = seededNumbers(seed);
  const kinds: Kind[] = [];
  for (let type = 0; type < TYPES; type += 1) {
    for (let major = 0; major < MAJORS; major += 1) {
      for (let minor = 0; minor < MINORS; minor += 1) {
        const step = numbers.below(4);
        kinds.push({ type, major, minor, ids: idsOf(type, step) });
        kinds.push({ type, major, minor, ids: idsOf(type, (step + 1 + numbers.below(3)) % 4) });
      }
    }
  }
  const walk = (visit: (place: FleetPlace) => void): void => {
    const dealt = seededNumbers(seed + 1);
    for (let at = 0; at < hosts; at += 1) {
      const host = (at * 7919) % hosts;
      for (let slot = 0; slot < PLACES_PER_HOST; slot += 1) {
        const kind = dealt.below(kinds.length);
        const name = PLACE_NAMES[slot] ?? "";
        visit({ host, kind, name, free: dealt.below(MOST_FREE + 1) });
      }
    }
  };
  return { hosts, kinds, walk };
}

const PLACE_NAMES: readonly string[] = Array.from(
  { length: PLACES_PER_HOST },
  (_, slot) => `0000:${(0x10 + slot).toString(16)}:00.0/type`,
);

/** `host0000017`: names sort as their numbers do. */
export function hostName(host: number): string {
  return `host${String(host).padStart(7, "0")}`;
}

/** The driver and the name of a type; five drivers share the sixty types. */
export function typeName(type: number): string {
  return `${DRIVERS[type % DRIVERS.length]}-t${type}`;
}

const EVIDENCE: Evidence = { host: "made-up", source: "interface", path: "/sys/class/mdev_bus" };
const NOTHING = absent(EVIDENCE);
const BUILD = {
  name: "drv",
  version: known("1", EVIDENCE),
  srcversion: known("A", EVIDENCE),
  buildId: NOTHING,
  taint: NOTHING,
};

/** The profile of a kind, as destination or as source. */
export function profileOfKind(kind: Kind, subject: "type" | "device"): MigrationProfile {
  const type = parseTypeId(typeName(kind.type));
  return {
    subject: { kind: subject, host: "made-up", parent: "0000:10:00.0", id: type },
    framework: "mdev",
    vendorDriver: known(type.split("-", 1)[0] ?? "", EVIDENCE),
    deviceApi: known("vfio-pci", EVIDENCE),
    type: known(type, EVIDENCE),
    attributes: {
      softwareVersion: known({ major: kind.major, minor: kind.minor, bugfix: 0 }, EVIDENCE),
      compatibleTypes: NOTHING,
      compatible: {
        pci_ids: known(
          kind.ids.map((id) => `id${id}`),
          EVIDENCE,
        ),
      },
      dynamicResources: NOTHING,
      migrationVersion: NOTHING,
    },
    module: known(BUILD, EVIDENCE),
    kernel: { release: known("6.12.0", EVIDENCE), version: known("#1", EVIDENCE) },
    firmware: NOTHING,
    pciIds: NOTHING,
    aggregation: NOTHING,
    dynamicValues: {},
    features: NOTHING,
    facts: {},
  };
}
