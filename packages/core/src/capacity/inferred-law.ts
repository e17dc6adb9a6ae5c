// SPDX-License-Identifier: Apache-2.0

import { compareOffers, lawAt } from "./compare-offers.ts";
import { sizeOf } from "./one-size-law.ts";
import type { LawOrigin, Pool, PoolLaw } from "./pool.ts";

/** A law that the readings themselves prove, with the sum that proves it. */
export interface Inference {
  readonly law: PoolLaw;
  readonly origin: LawOrigin;
  readonly perParent?: number;
}

/** What is not proved, and why. */
export interface NoInference {
  readonly why: string;
  /** A pool that would be one-size if a pool of the same types beside it proved the law. */
  readonly candidate?: Pool;
}

/**
 * Infers that a pool has one framebuffer size at a time, or says why not. It takes all of this:
 * every type says framebuffer and max_instance, and their product is one total; every `available_instances` is exactly what
 * one size at a time leaves beside the devices that exist; and at least one number would be different if sizes could be
 * mixed. An empty pool has no such number: it stays a candidate.
 */
export function inferOneSize(pool: Pool, functionsOnly: boolean): Inference | NoInference {
  const total = findTotal(pool);
  if (total === undefined)
    return { why: "no pack states it, and not all types say framebuffer and max_instance with one product" };
  if (pool.occupants.some((occupant) => occupant.uncertain !== undefined)) {
    return { why: "no pack states it, and what a device in the pool takes could not be read" };
  }
  const candidate: Pool = {
    ...pool,
    law: { kind: "one-size", totalMib: total },
    ...(functionsOnly ? { perParent: 1 } : {}),
  };
  if (
    pool.offers.length === 0 ||
    pool.offers.some(({ available }) => available === undefined) ||
    compareOffers(candidate).length > 0
  ) {
    return { why: "no pack states it, and the numbers of available instances follow no law that Berth can infer" };
  }
  if (!tellsLawsApart(candidate)) {
    return { why: "no pack states it, and the numbers fit one size at a time and mixed sizes alike", candidate };
  }
  return inferred(candidate, `what one size at a time leaves beside ${describeOccupants(candidate)}`);
}

/**
 * Infers the law of a candidate from a pool beside it that proved it: same host, same driver, the same types. It says so
 * in the proof, for it is no sum of the pool's own.
 */
export function inferFromNeighbour(candidate: Pool, neighbours: readonly Pool[]): Inference | undefined {
  const proving = neighbours.find(
    (pool) => pool.origin.kind === "inferred" && pool.law.kind === "one-size" && typesKey(pool) === typesKey(candidate),
  );
  if (proving === undefined) return undefined;
  const where = proving.parents.join(", ");
  return inferred(
    candidate,
    `what one size at a time leaves here, and on ${where} with the same types only that law does`,
  );
}

function inferred(pool: Pool, agreement: string): Inference {
  const total = pool.law.kind === "one-size" ? pool.law.totalMib : 0;
  const proof =
    `framebuffer x max_instance is ${total} MiB for all ${pool.types.length} types; ` +
    `available_instances of all of them is ${agreement}`;
  return {
    law: pool.law,
    origin: { kind: "inferred", proof },
    ...(pool.perParent === undefined ? {} : { perParent: pool.perParent }),
  };
}

/** The one product framebuffer x max_instance of all types that are offered; undefined where there is no such one. */
function findTotal(pool: Pool): number | undefined {
  const products = pool.types.map(({ type, maxInstances }) => {
    const size = sizeOf(pool, type);
    return size === undefined || maxInstances === undefined ? undefined : size * maxInstances;
  });
  const [first] = products;
  return products.every((product) => product === first) ? first : undefined;
}

/** Whether some number that the host shows would be another if devices of several sizes could share the pool. */
function tellsLawsApart(pool: Pool): boolean {
  const sizes = new Map(pool.types.map(({ type }) => [type, sizeOf(pool, type) ?? 0]));
  if (new Set(sizes.values()).size === 1) return true;
  const mixed: Pool = {
    ...pool,
    law: {
      kind: "counters",
      total: { framebuffer: { atLeast: totalOf(pool), atMost: totalOf(pool) } },
    },
  };
  return pool.offers.some(({ parent, type }) => lawAt(pool, parent, type).atMost !== lawAt(mixed, parent, type).atMost);
}

function totalOf(pool: Pool): number {
  return pool.law.kind === "one-size" ? pool.law.totalMib : 0;
}

function describeOccupants(pool: Pool): string {
  const counts = new Map<string, number>();
  for (const { type } of pool.occupants) counts.set(type, (counts.get(type) ?? 0) + 1);
  const held = [...counts].sort(([left], [right]) => (left < right ? -1 : 1));
  return held.map(([type, count]) => `${count} x ${type} of ${sizeOf(pool, type)} MiB`).join(", ") || "nothing";
}

function typesKey(pool: Pool): string {
  return pool.types.map(({ type, maxInstances }) => `${type} ${sizeOf(pool, type)} ${maxInstances}`).join("\n");
}
