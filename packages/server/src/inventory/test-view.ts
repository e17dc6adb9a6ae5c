// SPDX-License-Identifier: Apache-2.0

import { placeAt } from "@berth/core/inventory/migration-index";
import { NO_CLASS } from "@berth/core/inventory/place-table";
import type { FleetView } from "./fleet-view.ts";

/**
 * Everything that a view answers from, but for revisions and the numbers that the order of its edits gave: views that say
 * the same are equal. Scores are told by their order among all places.
 */
export function describeView(view: FleetView): object {
  const { classes, length } = view.index.places;
  const ids = Array.from({ length }, (_, id) => id).filter((id) => classes[id] !== NO_CLASS);
  const rows = ids.map((id) => ({ ...placeAt(view.index, id), place: view.placeAt(id) }));
  const scores = [...new Set(rows.map(({ score }) => score))].toSorted((a, b) => a - b);
  return {
    hosts: view.listHosts().map(({ host, ledger }) => ({ ...host, ledger })),
    names: view.hostNames,
    cordons: view.cordons,
    memory: view.memory,
    isExact: view.isExact,
    rows: rows
      .map(({ host, name, room, score, place }) => ({ host, name, room, score: scores.indexOf(score), place }))
      .toSorted((a, b) => (`${a.host} ${a.name}` < `${b.host} ${b.name}` ? -1 : 1)),
  };
}
