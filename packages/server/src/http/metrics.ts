// SPDX-License-Identifier: Apache-2.0

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { CLAIM_STATES } from "@berth/core/claim/claim-state";
import type { AgentLife, ProbeItem } from "@berth/core/protocol/api/control-answers";
import type { FleetView } from "../inventory/fleet-view.ts";
import type { Control } from "./control.ts";
import type { DeviceCensus } from "./device-census.ts";

/** What one server counts. */
export interface Metrics {
  readonly registry: Registry;
  readonly requests: Counter<"operation" | "status">;
  readonly seconds: Histogram<"operation">;
  readonly streams: Gauge;
  readonly waits: Gauge;
}

/** What is read when somebody asks for the figures. */
export interface Measured {
  readonly view: FleetView;
  readonly control: Control | undefined;
  readonly census: DeviceCensus;
  /** Seconds that the inventory is behind; undefined: no host was ever read. */
  readonly lagSeconds: () => number | undefined;
}

/** Makes a figure that is read when it is asked for. */
type MakeGauge = (name: string, help: string, read: () => number) => void;
/** Makes a figure for each value of a label; values that are not read count nothing. */
type MakeCounts = (name: string, labelled: { readonly help: string; readonly label: string }, read: Reader) => void;
type Reader = () => ReadonlyMap<string, number>;

/** The figures of one server in a registry of their own. */
export function createMetrics(measured: Measured): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge: MakeGauge = (name, help, read) => {
    const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(read()) });
  };
  const counts: MakeCounts = (name, { help, label }, read) => {
    const collect = (): void => {
      made.reset();
      for (const [value, count] of read()) made.set({ [label]: value }, count);
    };
    const made: Gauge = new Gauge({ name, help, labelNames: [label], registers, collect });
  };
  addInventory(measured, gauge);
  addCensus(measured, counts);
  if (measured.control !== undefined) addControl(measured.control, gauge, counts);
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
    waits: new Gauge({ name: "berth_desired_waits", help: "Agents that wait for news now", registers }),
  };
}

function addInventory({ view, lagSeconds }: Measured, gauge: MakeGauge): void {
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
}

function addCensus({ census }: Measured, counts: MakeCounts): void {
  const help =
    "Devices by whether they have a candidate on another host; counted now and then, nothing until the first";
  counts("berth_devices", { help, label: "mobility" }, () => new Map(Object.entries(census.read() ?? {})));
}

const LIVES: readonly AgentLife[] = ["connected", "silent", "never", "conflict", "revoked"];
const OUTCOMES = ["open", "accepted", "refused", "not-asked"] as const;

function addControl(control: Control, gauge: MakeGauge, counts: MakeCounts): void {
  const { replica, agents, probes } = control;
  const countLives = (): ReadonlyMap<string, number> => tally(LIVES, agents.listAgents(), ({ life }) => life);
  gauge("berth_store_revision", "Revision of the store that is answered from", () => replica.cursor.revision);
  gauge("berth_stale_hosts", "Hosts whose agent no server hears", () => countLives().get("silent") ?? 0);
  counts("berth_agents", { help: "Agents, by how they are", label: "life" }, countLives);
  counts("berth_claims", { help: "Claims, by state", label: "state" }, () =>
    tally(CLAIM_STATES, replica.listAllClaims(), ({ document }) => document.state),
  );
  counts("berth_probes", { help: "Probes, by what the driver said", label: "outcome" }, () =>
    tally(OUTCOMES, probes.list(), outcomeOf),
  );
}

function outcomeOf({ reply }: ProbeItem): (typeof OUTCOMES)[number] {
  return reply?.outcome.kind ?? "open";
}

/** How many items have each value; values that none has count 0. */
function tally<T, V extends string>(
  values: readonly V[],
  items: readonly T[],
  valueOf: (item: T) => V,
): Map<V, number> {
  const found = new Map<V, number>(values.map((value) => [value, 0]));
  for (const item of items) found.set(valueOf(item), (found.get(valueOf(item)) ?? 0) + 1);
  return found;
}
