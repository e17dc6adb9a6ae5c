// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, describe, it } from "node:test";
import type { Step } from "@berth/core/provision/step";
import { executeSteps } from "./execute-steps.ts";
import { describeHost, makeUpHost, makeUpJournal, PARENT_PATH, VGPU_PATH } from "./made-up-host.ts";
import type { MadeUpHost } from "./made-up-host.ts";
import type { Outcome, Progress } from "./outcome.ts";
import { recoverClaim } from "./recover.ts";
import { listMade, viewRun } from "./run-view.ts";

const A = "aaaaaaaa-0000-4000-8000-000000000001";
const B = "bbbbbbbb-0000-4000-8000-000000000002";
const DEVICE = `/sys/bus/mdev/devices/${A}`;
const scratch = mkdtempSync(`${tmpdir()}/berth-`);
after(() => rmSync(scratch, { recursive: true }));

function create(uuid: string, aggregate?: number): Step {
  const counted = aggregate === undefined ? {} : { aggregate };
  return {
    effect: { kind: "create", parent: "gpu", type: "t-1", uuid, ...counted },
    undo: { kind: "remove", uuid },
    text: `create ${uuid}`,
  };
}

function set(attribute: string, value: string, undo?: string): Step {
  return {
    effect: { kind: "write", uuid: A, attribute, value },
    readBack: { path: `${DEVICE}/${attribute}`, expected: value },
    skipWhenEqual: true,
    ...(undo === undefined ? {} : { undo: { kind: "write", uuid: A, attribute, value: undo } }),
    text: `set ${attribute}`,
  };
}

const SET_TYPE: Step = {
  effect: { kind: "set-vgpu-type", address: "0000:08:00.4", typeNumber: 746 },
  readBack: { path: VGPU_PATH, expected: "746" },
  undo: { kind: "set-vgpu-type", address: "0000:08:00.4", typeNumber: 0 },
  text: "give the function its type",
};
const DEFINE: Step = {
  effect: { kind: "define", uuid: A, parent: "gpu", definition: '{"mdev_type":"t-1","start":"manual"}' },
  undo: { kind: "undefine", uuid: A, parent: "gpu" },
  text: "define the device",
};
const START: Step = {
  effect: { kind: "start", uuid: A, parent: "gpu" },
  undo: { kind: "stop", uuid: A },
  text: "start the device",
};
const REMOVE: Step = { effect: { kind: "remove", uuid: A }, text: "remove the device" };
const GROW = set("aggregator", "4");
/** An attribute that no device has. */
const FAILING: Step = set("missing", "1");

interface Case {
  readonly steps: readonly Step[];
  readonly prepare?: (host: MadeUpHost) => void;
  readonly room?: number;
  readonly journalFails?: number;
  readonly purpose?: "unmake";
  /** Outcome in short. */
  readonly is: string;
  /** What was written and run. */
  readonly log?: readonly string[];
  /** Whether the host is afterwards as it was before. */
  readonly host: "as before" | "changed";
}

function shorten(outcome: Outcome): string {
  if (outcome.kind === "completed") return "completed";
  const { code, step, path, errno } = outcome.failure;
  const undos = outcome.undos.map((undo) => `${undo.step}:${undo.kind}`).join(" ");
  const unsettled = outcome.unsettled === undefined ? "" : " unsettled";
  return `${outcome.kind} ${step}:${code} ${errno ?? "-"} ${path ?? "-"} [${undos}]${unsettled}`;
}

function standsAlready(host: MadeUpHost): void {
  host.hands.writer.write(`${PARENT_PATH}/mdev_supported_types/t-1/create`, A);
  host.log.length = 0;
}

const CREATE_PATH = "/sys/class/mdev_bus/gpu/mdev_supported_types/t-1/create";

const CASES: Readonly<Record<string, Case>> = {
  "creates, sets and reads back": {
    steps: [create(A), GROW],
    is: "completed",
    log: [`${CREATE_PATH} ${A}`, `${DEVICE}/aggregator 4`],
    host: "changed",
  },
  "hands the count to a create that takes one": {
    steps: [create(A, 8)],
    is: "completed",
    log: [`${CREATE_PATH} ${A},aggregate=8`],
    host: "changed",
  },
  "does not write a value that stands already": {
    steps: [create(A), set("aggregator", "0x1")],
    is: "completed",
    log: [`${CREATE_PATH} ${A}`],
    host: "changed",
  },
  "compares what is read back as integers": {
    steps: [create(A), { ...GROW, readBack: { path: `${DEVICE}/aggregator`, expected: "0x4" } }],
    is: "completed",
    host: "changed",
  },
  "undoes what reads back as another value": {
    steps: [create(A), { ...GROW, readBack: { path: `${DEVICE}/aggregator`, expected: "5" } }],
    is: `undone 1:read_back - ${DEVICE}/aggregator [0:undone]`,
    host: "as before",
  },
  "removes what it created when a later step fails, with the errno and the attribute": {
    steps: [create(A), FAILING],
    is: `undone 1:refused ENOENT ${DEVICE}/missing [0:undone]`,
    host: "as before",
  },
  "removes the device when the driver does not take the value": {
    steps: [create(A), GROW, set("aggregator", "garbage")],
    is: `undone 2:refused EINVAL ${DEVICE}/aggregator [0:undone]`,
    host: "as before",
  },
  "takes back in reverse": {
    steps: [SET_TYPE, create(A), create(B), set("aggregator", "4", "1"), FAILING],
    is: `undone 4:refused ENOENT ${DEVICE}/missing [3:undone 2:undone 1:undone 0:undone]`,
    log: [
      `${VGPU_PATH} 746`,
      `${CREATE_PATH} ${A}`,
      `${CREATE_PATH} ${B}`,
      `${DEVICE}/aggregator 4`,
      `${DEVICE}/missing 1`,
      `${DEVICE}/aggregator 1`,
      `/sys/bus/mdev/devices/${B}/remove 1`,
      `${DEVICE}/remove 1`,
      `${VGPU_PATH} 0`,
    ],
    host: "as before",
  },
  "says that the place is taken when the pool is full": {
    steps: [create(B), create(A)],
    room: 1,
    is: `undone 1:place_taken EUSERS ${CREATE_PATH} [1:nothing-left 0:undone]`,
    host: "as before",
  },
  "leaves a device alone that was there before": {
    steps: [create(A), GROW],
    prepare: standsAlready,
    is: `undone 0:already_there EEXIST ${CREATE_PATH} []`,
    log: [],
    host: "as before",
  },
  "leaves a device alone that somebody else makes at the last moment": {
    steps: [create(A)],
    prepare: ({ refusals }) => refusals.set(CREATE_PATH, ["overtaken"]),
    is: `undone 0:already_there EEXIST ${CREATE_PATH} []`,
    host: "changed",
  },
  "leaves it alone even where that cannot be written down": {
    steps: [create(A)],
    prepare: ({ refusals }) => refusals.set(CREATE_PATH, ["overtaken"]),
    journalFails: 3,
    is: `undone 0:already_there EEXIST ${CREATE_PATH} [] unsettled`,
    host: "changed",
  },
  "does not take back what it did not do": {
    steps: [create(A), set("aggregator", "1", "9"), FAILING],
    is: `undone 2:refused ENOENT ${DEVICE}/missing [0:undone]`,
    host: "as before",
  },
  "does not create what it cannot tell the absence of": {
    steps: [create(A)],
    prepare: ({ entries }) => entries.set(DEVICE, { kind: "link", target: "../../../../../.." }),
    is: `undone 0:unreadable EXDEV ${CREATE_PATH} []`,
    host: "as before",
  },
  "takes back a value that reads differently afterwards": {
    steps: [create(A), set("switch", "on", "off")],
    is: `undone 1:read_back - ${DEVICE}/switch [1:undone 0:undone]`,
    host: "as before",
  },
  "takes a write without effect for a failure": {
    steps: [create(A)],
    prepare: ({ refusals }) => refusals.set(CREATE_PATH, ["ignored"]),
    is: `undone 0:no_effect - ${CREATE_PATH} [0:nothing-left]`,
    host: "as before",
  },
  "never writes an attribute that is not the device's own": {
    steps: [create(A), set("outside", "746")],
    is: `undone 1:refused EXDEV ${DEVICE}/outside [0:undone]`,
    host: "as before",
  },
  "keeps what it cannot take back, and takes back the rest": {
    steps: [SET_TYPE, create(A), FAILING],
    prepare: ({ refusals }) => refusals.set(`${DEVICE}/remove`, ["EAGAIN"]),
    is: `stuck 2:refused ENOENT ${DEVICE}/missing [1:stuck 0:undone]`,
    host: "changed",
  },
  "does not take away a device that somebody uses by now": {
    steps: [create(A), FAILING],
    prepare: ({ uses }) => uses.set(A, { kind: "in-use", by: "qemu 42" }),
    is: `stuck 1:refused ENOENT ${DEVICE}/missing [0:stuck]`,
    host: "changed",
  },
  "does not take away a device of which it cannot tell whether it is used": {
    steps: [create(A), FAILING],
    prepare: ({ uses }) => uses.set(A, { kind: "unknown", why: "EACCES" }),
    is: `stuck 1:refused ENOENT ${DEVICE}/missing [0:stuck]`,
    host: "changed",
  },
  "does not give a type to a function that has one": {
    steps: [SET_TYPE],
    prepare: ({ entries }) => entries.set(VGPU_PATH, "746\n"),
    is: `undone 0:place_taken EBUSY ${VGPU_PATH} []`,
    log: [],
    host: "as before",
  },
  "does not change the matrix of a device in use": {
    steps: [{ effect: { kind: "set-ap-config", uuid: A, config: "0x6,0x6,0x0" }, text: "set the matrix" }],
    prepare: (host) => {
      standsAlready(host);
      host.uses.set(A, { kind: "in-use", by: "qemu 42" });
    },
    is: `undone 0:in_use EBUSY ${DEVICE}/ap_config []`,
    host: "as before",
  },
  removes: { steps: [REMOVE], purpose: "unmake", prepare: standsAlready, is: "completed", host: "changed" },
  "counts a missing device as removed": {
    steps: [REMOVE],
    purpose: "unmake",
    is: "completed",
    log: [],
    host: "as before",
  },
  "does not remove a device in use": {
    steps: [REMOVE],
    purpose: "unmake",
    prepare: (host) => {
      standsAlready(host);
      host.uses.set(A, { kind: "in-use", by: "qemu 42" });
    },
    is: `undone 0:in_use EBUSY ${DEVICE}/remove []`,
    log: [],
    host: "as before",
  },
  "defines and starts": {
    steps: [DEFINE, START],
    is: "completed",
    log: [
      `mdevctl define --uuid=${A} --parent=gpu --jsonfile=${scratch}/${A}.json`,
      `mdevctl start --uuid=${A} --parent=gpu`,
    ],
    host: "changed",
  },
  "undefines when mdevctl cannot start": {
    steps: [DEFINE, START],
    prepare: ({ refusals }) =>
      refusals.set("mdevctl start", ["Error: write\n\nCaused by:\n  No space (os error 28)\n"]),
    is: `undone 1:place_taken ENOSPC ${DEVICE} [1:nothing-left 0:undone]`,
    host: "as before",
  },
  "stops and undefines when a later step fails": {
    steps: [DEFINE, START, FAILING],
    is: `undone 2:refused ENOENT ${DEVICE}/missing [1:undone 0:undone]`,
    host: "as before",
  },
  "leaves a definition alone that was there before": {
    steps: [DEFINE],
    prepare: ({ entries }) => entries.set(`/etc/mdevctl.d/gpu/${A}`, "{}"),
    is: `undone 0:already_there EEXIST /etc/mdevctl.d/gpu/${A} []`,
    host: "as before",
  },
  "does nothing when the run cannot be written down": {
    steps: [create(A)],
    journalFails: 1,
    is: "undone 0:journal_failed ENOSPC - []",
    log: [],
    host: "as before",
  },
  "does not do what cannot be written down": {
    steps: [create(A), GROW],
    journalFails: 2,
    is: "undone 0:journal_failed ENOSPC - [] unsettled",
    log: [],
    host: "as before",
  },
  "takes everything back when it cannot be written down as completed": {
    steps: [create(A)],
    journalFails: 4,
    is: "undone 0:journal_failed ENOSPC - [0:undone] unsettled",
    host: "as before",
  },
};

describe("executeSteps()", () => {
  for (const [name, given] of Object.entries(CASES)) {
    it(name, async () => {
      const host = makeUpHost(given.room ?? 3, scratch);
      given.prepare?.(host);
      const before = describeHost(host);
      const purpose = given.purpose ?? "make";
      const journal = makeUpJournal(given.journalFails);
      const outcome = await executeSteps({ purpose, steps: given.steps, hands: host.hands, journal });
      assert.equal(shorten(outcome), given.is);
      if (given.log !== undefined) assert.deepEqual(host.log, given.log);
      assert.equal(describeHost(host) === before ? "as before" : "changed", given.host);
      assert.deepEqual(readdirSync(scratch), []);
    });
  }

  it("goes no further once it is called off, and takes back what was done", async () => {
    const host = makeUpHost(3);
    const before = describeHost(host);
    const stop = new AbortController();
    const told: Progress[] = [];
    const onProgress = (progress: Progress): void => {
      told.push(progress);
      if (progress.kind === "done" && progress.step === 0) stop.abort();
    };
    const steps = [create(A), create(B)];
    const outcome = await executeSteps({
      purpose: "make",
      steps,
      hands: host.hands,
      journal: makeUpJournal(),
      signal: stop.signal,
      onProgress,
    });
    assert.equal(shorten(outcome), `undone 1:cancelled - ${CREATE_PATH} [0:undone]`);
    assert.equal(describeHost(host), before);
    assert.deepEqual(
      told.map(({ kind, step, of, text }) => `${kind} ${step + 1}/${of} ${text}`),
      [`doing 1/2 create ${A}`, `done 1/2 create ${A}`, `undoing 1/2 create ${A}`, `undone 1/2 create ${A}`],
    );
  });

  it("begins nothing while an earlier run waits for its recovery", async () => {
    const host = makeUpHost(3);
    const journal = makeUpJournal();
    const given = { purpose: "make", steps: [create(A)], hands: host.hands, journal } as const;
    journal.append({ kind: "begin", purpose: "make", steps: given.steps });
    await assert.rejects(executeSteps(given), /^RangeError: Cannot execute steps: the claim's last run has to be/);
    assert.deepEqual(host.log, []);
    await recoverClaim({ hands: host.hands, journal });
    assert.deepEqual(await executeSteps(given), { kind: "completed" });
    assert.deepEqual(listMade(journal.records), [A]);
  });

  it("says what mdevctl is missing for", async () => {
    const { hands } = makeUpHost(3, scratch);
    const without = { ...hands, mdevctl: { kind: "unusable", why: "mdevctl is not installed" } } as const;
    const outcome = await executeSteps({ purpose: "make", steps: [DEFINE], hands: without, journal: makeUpJournal() });
    assert.equal(shorten(outcome), `undone 0:command_missing - /etc/mdevctl.d/gpu/${A} [0:nothing-left]`);
  });
});

describe("recoverClaim()", () => {
  it("tries again what was stuck", async () => {
    const host = makeUpHost(3);
    const before = describeHost(host);
    const journal = makeUpJournal();
    host.uses.set(A, { kind: "in-use", by: "qemu 42" });
    await executeSteps({ purpose: "make", steps: [create(A), FAILING], hands: host.hands, journal });
    const still = await recoverClaim({ hands: host.hands, journal });
    assert.equal(still.kind, "stuck");
    host.uses.clear();
    const settled = await recoverClaim({ hands: host.hands, journal });
    assert.equal(settled.kind, "undone");
    assert.equal(describeHost(host), before);
  });

  it("tells a settled run again without touching the host", async () => {
    const host = makeUpHost(3);
    const journal = makeUpJournal();
    assert.deepEqual(await recoverClaim({ hands: host.hands, journal }), { kind: "nothing" });
    await executeSteps({ purpose: "make", steps: [create(A)], hands: host.hands, journal });
    host.log.length = 0;
    assert.deepEqual(await recoverClaim({ hands: host.hands, journal }), { kind: "completed", purpose: "make" });
    await executeSteps({ purpose: "make", steps: [create(B), FAILING], hands: host.hands, journal });
    const [told, count] = [await recoverClaim({ hands: host.hands, journal }), host.log.length];
    assert.equal(told.kind === "undone" ? told.failure.errno : told.kind, "ENOENT");
    await recoverClaim({ hands: host.hands, journal });
    assert.equal(host.log.length, count);
  });

  it("leaves a device of another type alone, and a type that somebody else has set", async () => {
    const host = makeUpHost(3);
    const journal = makeUpJournal();
    journal.append({ kind: "begin", purpose: "make", steps: [create(A), SET_TYPE] });
    journal.append({ kind: "intent", step: 0 });
    journal.append({ kind: "intent", step: 1 });
    standsAlready(host);
    host.entries.set(`${PARENT_PATH}/mdev_supported_types/t-2/name`, "two\n");
    host.entries.set(`${PARENT_PATH}/${A}/mdev_type`, { kind: "link", target: "../mdev_supported_types/t-2" });
    host.entries.set(VGPU_PATH, "745\n");
    const recovered = await recoverClaim({ hands: host.hands, journal });
    assert.equal(recovered.kind, "undone");
    assert.deepEqual(host.log, []);
  });

  it("finishes where that is decided, and keeps what was made before", async () => {
    const host = makeUpHost(3);
    const journal = makeUpJournal();
    journal.append({ kind: "begin", purpose: "make", steps: [create(A), GROW] });
    journal.append({ kind: "intent", step: 0 });
    standsAlready(host);
    const recovered = await recoverClaim({ hands: host.hands, journal, planRepair: () => "finish" });
    assert.deepEqual(recovered, { kind: "completed", purpose: "make" });
    assert.deepEqual(host.log, [`${DEVICE}/aggregator 4`]);
  });

  it("goes on with taking back that was begun, whatever is decided", async () => {
    const host = makeUpHost(3);
    const journal = makeUpJournal();
    const failure = { code: "read_back", step: 0, text: "create", why: "it was another" } as const;
    journal.append({ kind: "begin", purpose: "make", steps: [create(A)] });
    journal.append({ kind: "intent", step: 0 });
    journal.append({ kind: "undoing", failure });
    standsAlready(host);
    const recovered = await recoverClaim({ hands: host.hands, journal, planRepair: () => "finish" });
    const undos = [{ kind: "undone", step: 0, text: `create ${A}` }];
    assert.deepEqual(recovered, { kind: "undone", purpose: "make", failure, undos, standing: [] });
    assert.deepEqual(host.log, [`${DEVICE}/remove 1`]);
    assert.deepEqual(listMade(journal.records), []);
  });

  it("by itself takes back what was being made, and finishes what was being unmade", async () => {
    for (const [purpose, steps] of [
      ["make", [create(A), GROW]],
      ["unmake", [REMOVE]],
    ] as const) {
      const host = makeUpHost(3);
      const before = describeHost(host);
      const journal = makeUpJournal();
      journal.append({ kind: "begin", purpose, steps });
      journal.append({ kind: "intent", step: 0 });
      standsAlready(host);
      const recovered = await recoverClaim({ hands: host.hands, journal });
      assert.equal(recovered.kind, purpose === "make" ? "undone" : "completed");
      assert.deepEqual(host.log, [`${DEVICE}/remove 1`]);
      assert.equal(describeHost(host), before);
    }
  });

  it("proves nothing from a host without sysfs", async () => {
    const host = makeUpHost(3);
    const journal = makeUpJournal();
    await executeSteps({ purpose: "make", steps: [create(A)], hands: host.hands, journal: journal });
    const open = makeUpJournal();
    for (const record of journal.records) if (record.kind !== "end") open.append(record);
    host.entries.clear();
    const recovered = await recoverClaim({ hands: host.hands, journal: open });
    assert.equal(recovered.kind, "stuck");
  });
});

describe("viewRun()", () => {
  it("keeps what an attribute said before the first try", () => {
    const view = viewRun([
      { kind: "begin", purpose: "make", steps: [GROW] },
      { kind: "intent", step: 0, before: "1" },
      { kind: "intent", step: 0, before: "4" },
      { kind: "done", step: 0 },
    ]);
    assert.deepEqual(view?.marks, [{ kind: "done", before: "1" }]);
  });

  it("tells the last run alone, and refuses a step that it does not have", () => {
    const begin = { kind: "begin", purpose: "unmake", steps: [REMOVE] } as const;
    assert.deepEqual(viewRun([begin, { kind: "end", as: "completed" }, begin])?.end, undefined);
    assert.equal(viewRun([{ kind: "end", as: "undone" }]), undefined);
    assert.throws(
      () => viewRun([begin, { kind: "done", step: 1 }]),
      /^RangeError: Cannot read journal: there is no step 2/,
    );
  });
});
