// SPDX-License-Identifier: Apache-2.0

import { hostName, typeName, type MadeUpFleet } from "./made-up-fleet.ts";
import { LIMIT, type Question } from "./question.ts";

/** A place as a program without an index would keep it. */
export interface NaivePlace {
  readonly host: string;
  readonly name: string;
  readonly free: number;
  readonly attributes: {
    readonly vendorDriver: string;
    readonly deviceApi: string;
    readonly type: string;
    readonly softwareVersion: { readonly major: number; readonly minor: number; readonly bugfix: number };
    readonly pciIds: ReadonlySet<string>;
  };
}

/** The whole fleet as plain objects. */
export function listNaively(fleet: MadeUpFleet): readonly NaivePlace[] {
  const places: NaivePlace[] = [];
  fleet.walk(({ host, kind, name, free }) => {
    const { type, major, minor, ids } = fleet.kinds[kind]!;
    const text = typeName(type);
    const attributes = {
      vendorDriver: text.split("-", 1)[0]!,
      deviceApi: "vfio-pci",
      type: text,
      softwareVersion: { major, minor, bugfix: 0 },
      pciIds: new Set(ids.map((id) => `id${id}`)),
    };
    places.push({ host: hostName(host), name, free, attributes });
  });
  return places;
}

/** The baseline and first oracle: looks at every place, rule by rule, and keeps the ten best. */
export function searchNaively(places: readonly NaivePlace[], question: Question): readonly NaivePlace[] {
  const type = typeName(question.source.type);
  const vendorDriver = type.split("-", 1)[0]!;
  const ids = question.source.ids.map((id) => `id${id}`);
  const exceptHost = hostName(question.exceptHost);
  const best: NaivePlace[] = [];
  for (const place of places) {
    const { attributes } = place;
    if (attributes.vendorDriver !== vendorDriver) continue;
    if (attributes.deviceApi !== "vfio-pci" || attributes.type !== type) continue;
    if (attributes.softwareVersion.major !== question.source.major) continue;
    if (attributes.softwareVersion.minor < question.source.minor) continue;
    if (!ids.every((id) => attributes.pciIds.has(id))) continue;
    if (place.free < question.atLeastFree || place.host === exceptHost) continue;
    const at = best.findIndex((other) => comparePlaces(place, other, question.order) < 0);
    if (at >= 0) best.splice(at, 0, place);
    else if (best.length < LIMIT) best.push(place);
    if (best.length > LIMIT) best.pop();
  }
  return best;
}

function comparePlaces(a: NaivePlace, b: NaivePlace, order: Question["order"]): number {
  const byFree = order === "pack" ? a.free - b.free : b.free - a.free;
  if (byFree !== 0) return byFree;
  if (a.host !== b.host) return a.host < b.host ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
