// SPDX-License-Identifier: Apache-2.0

import { hash } from "node:crypto";
import { readDemoHosts } from "@berth/cli/input/demo-fleet";
import { canonicalJson } from "@berth/core/device/canonical-json";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { applyReport } from "@berth/core/report/apply-report";
import { decideReport } from "@berth/core/report/decide-report";
import { parseShape, type Shape } from "@berth/core/report/fill-shape";
import { unpackInventory } from "@berth/core/report/inventory-document";
import { joinSnapshot } from "@berth/core/report/join-snapshot";
import { madeUpCard } from "@berth/core/report/made-up-snapshot";
import type { HostState } from "@berth/core/report/report";
import { splitSnapshot, type SplitSnapshot } from "@berth/core/report/split-snapshot";

// What reports cost: splitting and joining snapshots, deltas and digests, for many hosts that are like those of the demo
// and share one catalogue, beside the floor of writing and reading whole snapshots with JSON.stringify and JSON.parse in
// the same turn. `node bench/report.bench.ts [HOSTS]`. Exit code 1 when a host does not come back as it was.

const HOSTS = Number(process.argv[2] ?? 10_000);

function sha256(text: string): string {
  return hash("sha256", text);
}

/** One figure a host: all of its times in microseconds, or its bytes. */
class Figure {
  readonly name: string;
  readonly #values: number[] = [];

  constructor(name: string) {
    this.name = name;
  }

  add(value: number): void {
    this.#values.push(value);
  }

  time<T>(action: () => T): T {
    const start = process.hrtime.bigint();
    const answer = action();
    this.add(Number(process.hrtime.bigint() - start) / 1000);
    return answer;
  }

  print(): void {
    const sorted = this.#values.toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    const mean = sorted.reduce((sum, value) => sum + value, 0) / Math.max(1, sorted.length);
    const cells = [mean, at(0.5), at(0.99)].map((value) => value.toFixed(value < 100 ? 1 : 0).padStart(11));
    console.log(`${this.name.padEnd(54)}${cells.join("")}`);
  }
}

const FIGURES = {
  wholeBytes: new Figure("whole snapshot, bytes"),
  inventoryBytes: new Figure("inventory, bytes"),
  digestBytes: new Figure("report of an unchanged host, bytes"),
  deltaBytes: new Figure("report of one device more, bytes"),
  stringify: new Figure("floor: JSON.stringify of the snapshot, us"),
  split: new Figure("agent: split, with digests, us"),
  decide: new Figure("agent: decide on a delta, us"),
  parse: new Figure("floor: JSON.parse of the snapshot, us"),
  join: new Figure("server: read and join an inventory, us"),
  unchanged: new Figure("server: apply a digest, us"),
  delta: new Figure("server: apply a delta, join and check included, us"),
};

/** The catalogue of the server: each shape is kept once, parsed. */
const SHAPES = new Map<string, Shape>();
const CATALOGUE = { find: (digest: string): Shape | undefined => SHAPES.get(digest) };
let catalogueBytes = 0;

function learn(split: SplitSnapshot): void {
  for (const [digest, text] of split.shapes) {
    if (SHAPES.has(digest)) continue;
    SHAPES.set(digest, parseShape(text));
    catalogueBytes += text.length;
  }
}

/** The same host under another name, with another room on its first type. */
function renamed(text: string, from: string, index: number): HostSnapshot {
  const snapshot = JSON.parse(text.replaceAll(`"host":"${from}"`, `"host":"host-${index}"`)) as HostSnapshot;
  const [room] = snapshot.parents[0]?.types ?? [];
  if (room?.availableInstances.kind === "known") Object.assign(room.availableInstances, { value: index % 97 });
  return snapshot;
}

/** The same host with a device more: a copy of one that it has under another UUID, else the first device away. */
function withChange(snapshot: HostSnapshot): HostSnapshot {
  const [device] = snapshot.devices;
  if (device === undefined) return { ...snapshot, parents: snapshot.parents.slice(1) };
  const id = "ffffffff-0000-4000-8000-000000000001";
  const copy = JSON.parse(JSON.stringify(device).replaceAll(device.id, id)) as typeof device;
  return { ...snapshot, devices: [...snapshot.devices, copy] };
}

function measureHost(snapshot: HostSnapshot): boolean {
  const whole = FIGURES.stringify.time(() => JSON.stringify(snapshot));
  FIGURES.wholeBytes.add(whole.length);
  const split = FIGURES.split.time(() => splitSnapshot(snapshot, sha256));
  FIGURES.inventoryBytes.add(split.bytes);
  learn(split);
  FIGURES.parse.time(() => JSON.parse(whole) as unknown);
  const joined = FIGURES.join.time(() => joinSnapshot(unpackInventory(JSON.parse(split.text)), CATALOGUE));
  const { host } = snapshot;
  const receiver = { host, hash: sha256, catalogue: CATALOGUE };
  const state: HostState = { host, generation: 1, sequence: 1, digest: split.digest, inventory: split.inventory };
  const order = { generation: 1, sequence: 2 };
  const unchanged = decideReport(split, split, order);
  FIGURES.digestBytes.add(JSON.stringify(unchanged).length);
  FIGURES.unchanged.time(() => applyReport(state, unchanged, receiver));
  const after = splitSnapshot(withChange(snapshot), sha256);
  const report = FIGURES.decide.time(() => decideReport(split, after, order));
  FIGURES.deltaBytes.add(JSON.stringify(report).length);
  const applied = FIGURES.delta.time(() => applyReport(state, report, receiver));
  return joined.kind === "joined" && applied.kind === "applied" && applied.news?.text === after.text;
}

/** What one host of each kind comes to, and that it comes back as it was, but for raw texts that stay on the host. */
function printSizes(hosts: readonly HostSnapshot[]): boolean {
  const strip = (value: unknown): string =>
    canonicalJson(
      JSON.parse(JSON.stringify(value, (key, item: unknown) => (/^text(OnHost)?$/.test(key) ? undefined : item))),
    );
  let same = true;
  console.log(
    `${"host".padEnd(34)}${["snapshot", "inventory", "shapes", "their bytes", "texts kept"].map((cell) => cell.padStart(12)).join("")}`,
  );
  for (const snapshot of hosts) {
    const split = splitSnapshot(snapshot, sha256);
    learn(split);
    const bytes = [...split.shapes.values()].reduce((sum, text) => sum + text.length, 0);
    const cells = [JSON.stringify(snapshot).length, split.bytes, split.shapes.size, bytes, split.texts.size];
    console.log(`${snapshot.host.padEnd(34)}${cells.map((cell) => cell.toLocaleString("en").padStart(12)).join("")}`);
    const joined = joinSnapshot(split.inventory, CATALOGUE);
    if (joined.kind !== "joined" || strip(joined.snapshot) !== strip(snapshot)) same = false;
  }
  return same;
}

function run(): number {
  if (!Number.isInteger(HOSTS) || HOSTS < 1) {
    console.error("usage: node bench/report.bench.ts [HOSTS]");
    return 2;
  }
  const demo = readDemoHosts();
  const cards = [16, 64, 256].map((parents) => {
    return madeUpCard({
      host: `${parents} parents x 20 types, ${parents} devices`,
      parents,
      types: 20,
      devices: parents,
    });
  });
  let same = printSizes([...demo, ...cards]);
  SHAPES.clear();
  catalogueBytes = 0;
  const texts = demo.map((snapshot) => [snapshot.host, JSON.stringify(snapshot)] as const);
  for (let index = 0; index < HOSTS; index++) {
    const [host, text] = texts[index % texts.length] ?? ["", ""];
    if (!measureHost(renamed(text, host, index))) same = false;
  }
  console.log(
    `\n${`${HOSTS} hosts like those of the demo`.padEnd(54)}${["mean", "p50", "p99"].map((cell) => cell.padStart(11)).join("")}`,
  );
  for (const figure of Object.values(FIGURES)) figure.print();
  console.log(`one catalogue for all: ${SHAPES.size} shapes, ${catalogueBytes.toLocaleString("en")} bytes`);
  if (same) return 0;
  console.error("a host did not come back as it was");
  return 1;
}

process.exitCode = run();
