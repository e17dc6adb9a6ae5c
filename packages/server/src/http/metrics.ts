// SPDX-License-Identifier: Apache-2.0

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { FleetView } from "../inventory/fleet-view.ts";

/** What one server counts. */
export interface Metrics {
  readonly registry: Registry;
  readonly requests: Counter<"operation" | "status">;
  readonly seconds: Histogram<"operation">;
  readonly streams: Gauge;
}

/** What is read when somebody asks for the figures. */
export interface Measured {
  readonly view: FleetView;
  /** Seconds that the inventory is behind; undefined: no host was ever read. */
  readonly lagSeconds: () => number | undefined;
}

/** The figures of one server in a registry of their own. */
export function createMetrics({ view, lagSeconds }: Measured): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number): void => {
    const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(read()) });
  };
  gauge("berth_hosts", "Hosts in the inventory", () => view.hostNames.length);
  gauge("berth_cordoned_hosts", "Hosts on which nothing is to be placed", () => view.cordons.length);
  gauge("berth_index_places", "Places in the index", () => view.index.places.length - view.index.places.vacant.length);
  gauge("berth_index_classes", "Classes of destinations in the index", () => view.index.columns.length);
  gauge("berth_inventory_revision", "Revision of the inventory", () => view.generation.revision);
  gauge(
    "berth_inventory_lag_seconds",
    "Seconds that the inventory is behind; -1: no host was ever read",
    () => lagSeconds() ?? -1,
  );
  gauge("berth_problems", "Problems met while hosts were read", () =>
    view.listHosts().reduce((sum, { host }) => sum + host.problems.length, 0),
  );
  return {
    registry,
    requests: new Counter({
      name: "berth_http_requests_total",
      help: "Requests answered, by operation and status",
      labelNames: ["operation", "status"],
      registers,
    }),
    seconds: new Histogram({
      name: "berth_http_request_seconds",
      help: "Time to an answer, by operation",
      labelNames: ["operation"],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      registers,
    }),
    streams: new Gauge({ name: "berth_event_streams", help: "Event streams that are followed now", registers }),
  };
}
