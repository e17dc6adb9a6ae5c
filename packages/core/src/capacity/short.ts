// SPDX-License-Identifier: Apache-2.0

import { findType } from "./ask.ts";
import type { Ask } from "./ask.ts";
import { changesOf } from "./changes.ts";
import { countersMissing } from "./counters-law.ts";
import { devicesLeft, instancesLeft } from "./law.ts";
import { occupantsOfOtherSize, oneSizeMissing, sizeOf } from "./one-size-law.ts";
import type { Pool, Taken } from "./pool.ts";
import { placementOf, slotsRoom } from "./slots-law.ts";
import { freeUnits, unitsMissing } from "./units-law.ts";
import { wordAt } from "./word.ts";

/** One thing that a device would need and cannot have. */
interface Shortage {
  readonly missing: ReadonlyMap<string, number>;
  readonly why: string;
}

/** Says everything that stands in the way of a device for which there is certainly no room. */
export function explainShort(pool: Pool, ask: Ask): Extract<Taken, { kind: "short" }> {
  const shortages = [...findParentShortages(pool, ask), ...findLawShortages(pool, ask)];
  const missing = new Map(shortages.flatMap((shortage) => [...shortage.missing]));
  return {
    kind: "short",
    missing: Object.fromEntries([...missing].sort(([left], [right]) => (left < right ? -1 : 1))),
    why: shortages.map((shortage) => shortage.why).join("; "),
  };
}

/** Says why it cannot be told whether a device fits. */
export function explainUnknown(pool: Pool): string {
  if (pool.law.kind === "unknown") return pool.law.why;
  if (pool.uncounted !== undefined) return pool.uncounted;
  if (pool.disagreement !== undefined) return "the law of the pool and the host's own numbers differ";
  const uncertain = pool.occupants.find((occupant) => occupant.uncertain !== undefined);
  if (uncertain !== undefined) return `what ${uncertain.id} takes is not known: ${uncertain.uncertain}`;
  if (pool.law.kind === "slots") return "the slot of a device is not known";
  return "what the devices of this pool take is known only in part";
}

function findParentShortages(pool: Pool, ask: Ask): readonly Shortage[] {
  if (ask.parents.length === 0)
    return [{ missing: new Map([["parents", 1]]), why: "the parent is not one of this pool" }];
  const changes = changesOf(pool);
  const shortages: Shortage[] = [];
  if (ask.parents.every((parent) => devicesLeft(pool, parent, ask) < 1)) {
    shortages.push({ missing: new Map([["devices", 1]]), why: `a parent holds ${pool.perParent} at most` });
  }
  const words = ask.parents.map((parent) => wordAt(pool, parent, { ask: { ...ask, count: 1 }, changes }).atMost);
  const most = Math.max(...words);
  if (most < ask.count) {
    const why = `the host offers ${most} of ${ask.type}`;
    shortages.push({ missing: new Map([["available_instances", ask.count - most]]), why });
  } else if (ask.parents.every((parent) => wordAt(pool, parent, { ask, changes }).atMost < 1)) {
    shortages.push({
      missing: new Map([["max_aggregation", 1]]),
      why: `one ${ask.type} cannot have ${ask.count} units`,
    });
  }
  if (instancesLeft(pool, ask) < 1) {
    const why = `the driver holds ${findType(pool, ask.type)?.maxInstances} of ${ask.type} at most`;
    shortages.push({ missing: new Map([["max_instance", 1]]), why });
  }
  return shortages;
}

function findLawShortages(pool: Pool, ask: Ask): readonly Shortage[] {
  const { law } = pool;
  if (pool.disagreement?.above === true) return [];
  switch (law.kind) {
    case "counters": {
      const missing = countersMissing(pool, law, ask);
      return missing.size === 0
        ? []
        : [{ missing, why: [...missing].map(([name, by]) => `${name} is short of ${by}`).join("; ") }];
    }
    case "one-size": {
      const missing = oneSizeMissing(pool, law, ask);
      return missing.size === 0 ? [] : [{ missing, why: oneSizeWhy(pool, ask, missing) }];
    }
    case "slots": {
      if (slotsRoom(pool, law, ask).atMost >= 1) return [];
      const length = placementOf(pool, law, ask.type)?.length ?? 1;
      return [{ missing: new Map([["slots", length]]), why: `no allowed start has ${length} free slots behind it` }];
    }
    case "units":
      return unitsShortages(ask, { asked: unitsMissing(pool, law, ask), free: freeUnits(pool, law) });
    case "unbounded":
    case "unknown":
      return [];
  }
}

function oneSizeWhy(pool: Pool, ask: Ask, missing: ReadonlyMap<string, number>): string {
  const [other] = occupantsOfOtherSize(pool, ask.type);
  if (other === undefined) return [...missing].map(([name, by]) => `${name} is short of ${by} MiB`).join("; ");
  const sizes = `${sizeOf(pool, other.type)} MiB, ${ask.type} has ${sizeOf(pool, ask.type)} MiB`;
  return `one size at a time: ${other.type} in it has ${sizes}`;
}

function unitsShortages(
  ask: Ask,
  units: { readonly asked: readonly string[]; readonly free: readonly string[] },
): readonly Shortage[] {
  if (units.asked.length > 0) {
    return [{ missing: new Map([["units", units.asked.length]]), why: `not free: ${units.asked.join(", ")}` }];
  }
  if (ask.units !== undefined || units.free.length >= ask.count) return [];
  return [{ missing: new Map([["units", ask.count - units.free.length]]), why: `${units.free.length} units are free` }];
}
