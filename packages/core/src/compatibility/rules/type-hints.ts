// SPDX-License-Identifier: Apache-2.0

import type { MigrationProfile } from "../../device/migration-profile.ts";
import type { Pair } from "../pair.ts";
import { hasEqualUnits, parseRatio, type Amount } from "../unit-map.ts";
import type { Note } from "../verdict.ts";

/**
 * What the operator's own tables say of two unlike types: aliases (D30) and units per device (D3, D4).
 * Hints only: nothing here can turn a "no" into a "yes".
 */
export function hintAtType(pair: Pair): readonly Note[] {
  const { source, destination } = pair;
  if (source.type.kind !== "known" || destination.type.kind !== "known") return [];
  if (source.type.value === destination.type.value) return [];
  return [...hintAtAlias(pair, source.type.value, destination.type.value), ...hintAtUnits(pair)];
}

function hintAtAlias({ policy }: Pair, left: string, right: string): readonly Note[] {
  if (!policy.typeAliases.some((group) => group.includes(left) && group.includes(right))) return [];
  const text = `the policy calls ${left} and ${right} one type; an alias is a hint and decides nothing`;
  return [{ rule: "R3", code: "type_alias", text }];
}

function hintAtUnits({ source, destination, policy }: Pair): readonly Note[] {
  const [left, right] = [amountOf(source, policy.unitMap), amountOf(destination, policy.unitMap)];
  if (left === undefined || right === undefined) return [];
  if (typeof left === "string" || typeof right === "string") {
    return [left, right]
      .filter((side) => typeof side === "string")
      .map((text) => ({ rule: "R3", code: "unit_map_malformed", text }));
  }
  if (!hasEqualUnits(left, right)) return [];
  const text =
    `by the policy's unit map ${describe(source, left)} and ${describe(destination, right)} are equally large: ` +
    `same size, different type; re-create as ${describe(source, left)}`;
  return [{ rule: "R3", code: "unit_map", text }];
}

/** Units of one end; a text where the map's entry is no fraction, undefined where the map or the count says nothing. */
function amountOf(profile: MigrationProfile, map: Readonly<Record<string, string>>): Amount | string | undefined {
  const { type, aggregation } = profile;
  if (type.kind !== "known" || aggregation.kind !== "known" || !Object.hasOwn(map, type.value)) return undefined;
  const { count } = aggregation.value;
  if (!Number.isSafeInteger(count)) return undefined;
  try {
    return { units: parseRatio(String(map[type.value])), count };
  } catch (error) {
    if (error instanceof SyntaxError) return `the unit map's entry for ${type.value} is dropped: ${error.message}`;
    throw error;
  }
}

function describe(profile: MigrationProfile, { count }: Amount): string {
  return `${profile.type.kind === "known" ? profile.type.value : "an unknown type"} x ${count}`;
}
