// SPDX-License-Identifier: Apache-2.0

import { hostName, PLACES_PER_HOST, typeName, type Kind, type MadeUpFleet } from "./made-up-fleet.ts";
import { LIMIT, type Question } from "./question.ts";

/** The whole fleet as bare columns, by place; no classes, no order, nothing precomputed. */
export interface Columns {
  readonly fleet: MadeUpFleet;
  readonly types: Uint8Array;
  readonly majors: Uint8Array;
  readonly minors: Uint8Array;
  readonly idsLow: Int32Array;
  readonly idsHigh: Int32Array;
  readonly free: Uint8Array;
  readonly hosts: Uint32Array;
  readonly names: readonly string[];
}

/** Lays a fleet out in columns. */
export function layOut(fleet: MadeUpFleet): Columns {
  const count = fleet.hosts * PLACES_PER_HOST;
  const columns = {
    fleet,
    types: new Uint8Array(count),
    majors: new Uint8Array(count),
    minors: new Uint8Array(count),
    idsLow: new Int32Array(count),
    idsHigh: new Int32Array(count),
    free: new Uint8Array(count),
    hosts: new Uint32Array(count),
    names: new Array<string>(count),
  };
  let at = 0;
  fleet.walk((place) => {
    const kind = fleet.kinds[place.kind]!;
    columns.types[at] = kind.type;
    columns.majors[at] = kind.major;
    columns.minors[at] = kind.minor;
    [columns.idsLow[at], columns.idsHigh[at]] = maskOf(kind) as [number, number];
    columns.free[at] = place.free;
    columns.hosts[at] = place.host;
    columns.names[at] = place.name;
    at += 1;
  });
  return columns;
}

/** The second oracle: an exhaustive search too, at the speed of a loop over columns. Hosts sort as their numbers do. */
export function searchColumns(columns: Columns, question: Question): readonly { host: string; name: string }[] {
  const { types, majors, minors, idsLow, idsHigh, free, hosts, names } = columns;
  const { source, atLeastFree, exceptHost } = question;
  const [low = 0, high = 0] = maskOf(source);
  const best: number[] = [];
  const keyOf = (at: number): number => (question.order === "pack" ? free[at]! : -free[at]!);
  const isBetter = (a: number, b: number): boolean => {
    if (keyOf(a) !== keyOf(b)) return keyOf(a) < keyOf(b);
    return hosts[a] === hosts[b] ? names[a]! < names[b]! : hosts[a]! < hosts[b]!;
  };
  for (let at = 0; at < types.length; at += 1) {
    if (types[at] !== source.type || majors[at] !== source.major || minors[at]! < source.minor) continue;
    if ((low & ~idsLow[at]!) !== 0 || (high & ~idsHigh[at]!) !== 0) continue;
    if (free[at]! < atLeastFree || hosts[at] === exceptHost) continue;
    if (best.length === LIMIT && !isBetter(at, best[LIMIT - 1]!)) continue;
    let position = best.length;
    while (position > 0 && isBetter(at, best[position - 1]!)) position -= 1;
    best.splice(position, 0, at);
    if (best.length > LIMIT) best.pop();
  }
  return best.map((at) => ({ host: hostName(hosts[at]!), name: names[at]! }));
}

/** Outcomes in order of nearness, as `explainElsewhere` names them; of one kind and rule in order of their codes. */
const OUTCOMES = [
  "candidate ",
  "not-now no_room",
  "not-as-it-stands software_version_major",
  "not-as-it-stands software_version_minor",
  "never compatible_field",
  "never software_version_major",
  "never software_version_minor",
  "never type",
  "never vendor_driver",
];

/** "Why not elsewhere", counted exhaustively: places and hosts by outcome, each host at its nearest. */
export function countColumns(columns: Columns, question: Question): string {
  const { types, free, hosts } = columns;
  const places = new Map<string, number>();
  const nearest = new Uint8Array(columns.fleet.hosts).fill(OUTCOMES.length);
  for (let at = 0; at < types.length; at += 1) {
    const host = hosts[at]!;
    if (host === question.exceptHost) continue;
    const refused = refusalOf(columns, at, question.source);
    const outcome = refused ?? (free[at]! < question.atLeastFree ? "not-now no_room" : "candidate ");
    places.set(outcome, (places.get(outcome) ?? 0) + 1);
    nearest[host] = Math.min(nearest[host]!, OUTCOMES.indexOf(outcome));
  }
  const hostCounts = new Array<number>(OUTCOMES.length + 1).fill(0);
  for (const step of nearest) hostCounts[step]! += 1;
  return OUTCOMES.filter((outcome) => places.has(outcome))
    .map((outcome) => `${outcome} ${places.get(outcome)} ${hostCounts[OUTCOMES.indexOf(outcome)]}`)
    .toSorted()
    .join("; ");
}

/** A driver that is too old or too new can be changed; a missing id, another type or another driver cannot. */
function refusalOf(columns: Columns, at: number, source: Kind): string | undefined {
  const type = columns.types[at]!;
  if (driverOf(type) !== driverOf(source.type)) return "never vendor_driver";
  if (type !== source.type) return "never type";
  const [low = 0, high = 0] = maskOf(source);
  const isLacking = (low & ~columns.idsLow[at]!) !== 0 || (high & ~columns.idsHigh[at]!) !== 0;
  const nature = isLacking ? "never" : "not-as-it-stands";
  if (columns.majors[at] !== source.major) return `${nature} software_version_major`;
  if (columns.minors[at]! < source.minor) return `${nature} software_version_minor`;
  return isLacking ? "never compatible_field" : undefined;
}

function driverOf(type: number): string {
  return typeName(type).split("-", 1)[0]!;
}

function maskOf(kind: Kind): readonly number[] {
  let low = 0;
  let high = 0;
  for (const id of kind.ids) {
    if (id < 32) low |= 1 << id;
    else high |= 1 << (id - 32);
  }
  return [low, high];
}
