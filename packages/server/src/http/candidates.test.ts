// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { testSnapshot, type TestHost } from "@berth/core/placement/test-fleet";
import { makeClient, type ApiClient } from "@berth/core/protocol/api/client";
import { makeControlClient, type ControlClient } from "@berth/core/protocol/api/control-client";
import type { ErrorAnswer } from "@berth/core/protocol/api/answers";
import type { FleetView } from "../inventory/fleet-view.ts";
import { fetchInProcess } from "./in-process.ts";
import { rackedSnapshot, TEST_DEVICE, TEST_VM, testServer, testView } from "./test-server.ts";

const TYPE = { id: "drv-a", available: 2, version: "1.5.0", compatible: { x: "1" } };
const HOST = (host: string): TestHost => ({ host, parents: [{ id: "p0", types: [TYPE] }] });

/** Beside `b`, three hosts with room: two in a rack, one of them with a label, and one of which nothing is known. */
function fixture(): { readonly view: FleetView; readonly client: ApiClient; readonly control: ControlClient } {
  const view = testView();
  view.putSnapshot(rackedSnapshot(HOST("r1"), { rack: "one", "label.zone": "x" }));
  view.putSnapshot(rackedSnapshot(HOST("r2"), { rack: "two" }));
  view.putSnapshot(testSnapshot(HOST("r3")));
  const send = fetchInProcess(testServer(view));
  return { view, client: makeClient(send), control: makeControlClient(send) };
}

/** Filters, and the hosts of the candidates in their order. */
const FILTERS: Record<string, { readonly request: object; readonly hosts: readonly string[] }> = {
  "nothing that is said": { request: {}, hosts: ["b", "r1", "r2", "r3"] },
  "a rack": { request: { racks: ["one"] }, hosts: ["r1"] },
  "several racks": { request: { racks: ["two", "one", "three"] }, hosts: ["r1", "r2"] },
  "a rack that no host is in": { request: { racks: ["three"] }, hosts: [] },
  "a label": { request: { labels: { zone: "x" } }, hosts: ["r1"] },
  "a label of another value": { request: { labels: { zone: "y" } }, hosts: [] },
  "a label that is a property of every object": { request: { labels: { constructor: "x" } }, hosts: [] },
  "all of several labels": { request: { labels: { zone: "x", row: "7" } }, hosts: [] },
  "rack, label and name together": { request: { racks: ["one"], labels: { zone: "x" }, hosts: ["r2"] }, hosts: [] },
  "a name within a rack": { request: { racks: ["one", "two"], hosts: ["r2", "r3"] }, hosts: ["r2"] },
  "a higher weight": { request: { weights: { r2: 1 } }, hosts: ["r2", "b", "r1", "r3"] },
  "weights of either sign": { request: { weights: { r3: 5, b: -1, r2: 5 } }, hosts: ["r2", "r3", "r1", "b"] },
  "a weight of none": { request: { weights: { r2: 0 } }, hosts: ["b", "r1", "r2", "r3"] },
  "weights within a filter": { request: { weights: { r2: 1, r3: 2 }, racks: ["one", "two"] }, hosts: ["r2", "r1"] },
  "weights without the left out": { request: { weights: { r2: 1 }, exceptHosts: ["r2"] }, hosts: ["b", "r1", "r3"] },
};

describe("candidates of a device", () => {
  const { client, view } = fixture();
  for (const [name, { request, hosts }] of Object.entries(FILTERS)) {
    it(`follow ${name}`, async () => {
      const { candidates } = await client.findCandidates({ source: TEST_DEVICE, limit: 100, ...request });
      assert.deepEqual([...new Set(candidates.map(({ host }) => host))], hosts);
      assert.deepEqual(
        candidates.map(({ rank }) => rank),
        candidates.map((_, at) => at + 1),
      );
    });
  }

  it("say which weight put them where they are, and are no more than asked for", async () => {
    const weights = { r2: 3, b: -2 };
    const { candidates } = await client.findCandidates({ source: TEST_DEVICE, weights, limit: 3 });
    assert.deepEqual(
      candidates.map(({ host, because }) => [host, because.filter((text) => text.includes("weight"))]),
      [
        ["r2", ["the weight of the host is 3"]],
        ["r1", []],
        ["r3", []],
      ],
    );
  });

  it("refuse weights that are none and hosts that are not there", async () => {
    const server = testServer(view);
    const cases: readonly (readonly [Readonly<Record<string, number>>, string])[] = [
      [{ r2: 101 }, "request_malformed"],
      [{ r2: 0.5 }, "request_malformed"],
      [{ nowhere: 1 }, "unknown_host"],
      [{ ["constructor"]: 1 }, "unknown_host"],
    ];
    for (const [weights, code] of cases) {
      const body = { source: TEST_DEVICE, weights };
      const answer = await server.inject({ method: "POST", url: "/v1/candidates", body });
      assert.equal(answer.json<ErrorAnswer>().code, code, JSON.stringify(weights));
    }
  });
});

describe("candidates of a VM", () => {
  const source = { host: "a", vm: TEST_VM.id };
  for (const [name, { request, hosts }] of Object.entries(FILTERS)) {
    it(`follow ${name}`, async () => {
      const { candidates } = await fixture().control.findVmCandidates({ source, limit: 100, ...request });
      assert.deepEqual(
        candidates.map(({ host, rank }) => [host, rank]),
        hosts.map((host, at) => [host, at + 1]),
      );
    });
  }

  it("come with a place for every device, and hosts without one are explained or counted", async () => {
    const { control, view } = fixture();
    const second = "00000000-0000-4000-8000-000000000002";
    const a = {
      host: "a",
      parents: [{ id: "p0", types: [TYPE] }],
      devices: [TEST_DEVICE.device, second].map((id) => ({ id, parent: "p0", type: "drv-a" })),
    };
    const known = TEST_VM.devices[0]?.known ?? assert.fail();
    const devices = [...TEST_VM.devices, { device: second, known }];
    view.putSnapshot({ ...testSnapshot(a), virtualMachines: [{ ...TEST_VM, devices }] });
    view.cordonHost("r3");
    const answer = await control.findVmCandidates({ source, limit: 2 });
    assert.equal(answer.sources.length, 2);
    assert.deepEqual(answer.excludedHosts, ["a", "r3"]);
    assert.deepEqual(
      answer.candidates.map(({ host, places }) => [host, places.map(({ device, parent }) => [device, parent])]),
      ["b", "r1"].map((host) => {
        return [host, [TEST_DEVICE.device, second].map((device) => [device, "p0"])];
      }),
    );
    assert.deepEqual(
      answer.elsewhere?.map(({ host }) => host),
      ["c", "d"],
    );
    assert.equal(answer.elsewhereMore, 1);
    assert.ok(answer.elsewhere?.every(({ codes, why }) => codes.length > 0 && why.length > 0));
    const brief = await control.findVmCandidates({ source, explain: false });
    assert.deepEqual([brief.elsewhere, brief.elsewhereMore], [undefined, undefined]);
  });

  it("are the same and counted in a fleet that is too large to explain every host", async () => {
    const { control, view } = fixture();
    const before = await control.findVmCandidates({ source });
    for (let number = 0; number < 260; number += 1) {
      view.putSnapshot(testSnapshot({ host: `x${String(number).padStart(3, "0")}`, parents: [] }));
    }
    const after = await control.findVmCandidates({ source });
    assert.deepEqual(after.candidates, before.candidates);
    assert.equal(after.elsewhereMore, view.hostNames.length - 1 - after.candidates.length);
  });

  it("refuse what is no VM with devices that exist", async () => {
    const { control, view } = fixture();
    const find = (host: string, vm: string): Promise<object> => control.findVmCandidates({ source: { host, vm } });
    await assert.rejects(find("nowhere", "vm-1"), { code: "unknown_host", place: "/source/host" });
    await assert.rejects(find("b", "vm-1"), { code: "unknown_vm", place: "/source/vm" });
    const bare = { ...TEST_VM, id: "bare", devices: [] };
    view.putSnapshot({ ...testSnapshot({ host: "a", parents: [] }), virtualMachines: [bare, TEST_VM] });
    await assert.rejects(find("a", "bare"), { code: "vm_without_devices" });
    await assert.rejects(find("a", "vm-1"), { code: "unknown_device" });
  });

  it("may be judged by a policy that is sent along", async () => {
    const { view } = fixture();
    const server = testServer(view);
    const policy = { policy: "berth.policy/v1", assumePlatform: false };
    const body = { source, policy, hosts: ["b"] };
    const answer = await server.inject({ method: "POST", url: "/v1/candidates", body });
    const { candidates } = answer.json<{ candidates: { platform: { kind: string } }[] }>();
    assert.deepEqual(
      candidates.map(({ platform }) => platform.kind),
      ["undetermined"],
    );
  });
});
