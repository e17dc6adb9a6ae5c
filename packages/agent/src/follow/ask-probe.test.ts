// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, describe, it } from "node:test";
import { desiredOf, makeUpPlace, openPlace, startVm, uuidOf } from "./made-up-place.ts";
import type { MadeUpPlace } from "./made-up-place.ts";

const base = mkdtempSync(`${tmpdir()}/berth-`);
after(() => rmSync(base, { recursive: true }));

function place(): MadeUpPlace {
  return makeUpPlace(mkdtempSync(`${base}/state-`));
}

describe("follow() of probes", () => {
  const probe = {
    id: "p1",
    at: { kind: "type", parent: "gpu", type: "t-1" },
    version: "good-1",
    driverPrefix: "t",
  } as const;
  const PATH = "/sys/devices/pci0000:00/gpu/mdev_supported_types/t-1/migration_version";

  async function ask(wanted: object, prepare: (at: MadeUpPlace) => void = () => undefined) {
    const at = place();
    at.entries.set(PATH, "own-1\n");
    at.hands.writer.write("/x/create", uuidOf(1));
    at.log.length = 0;
    at.entries.set(`/sys/devices/pci0000:00/gpu/${uuidOf(1)}/migration_version`, "own-2\n");
    prepare(at);
    at.probes.push({ ...probe, ...wanted });
    const follower = openPlace(at);
    const { probes } = await follower.follow(desiredOf(at));
    const again = await follower.follow(desiredOf(at));
    assert.deepEqual(again.probes, probes);
    const [reply] = probes;
    const { outcome } = reply ?? {};
    const how = outcome?.kind === "refused" ? outcome.errno : outcome?.kind === "not-asked" ? outcome.reason.code : "";
    return [`${outcome?.kind} ${how}`.trim(), reply?.destinationVersion, at.log.length];
  }

  const device = { at: { kind: "device", device: uuidOf(1) } };
  const CASES: Readonly<
    Record<string, readonly [object, ((at: MadeUpPlace) => void) | undefined, readonly unknown[]]>
  > = {
    "are accepted by the driver": [{}, undefined, ["accepted", "own-1", 1]],
    "are refused by the driver": [{ version: "bad" }, undefined, ["refused EINVAL", "own-1", 1]],
    "are asked of a device that nobody uses": [device, undefined, ["accepted", "own-2", 1]],
    "are not asked of a device in use": [
      device,
      (at) => startVm(at, [uuidOf(1)]),
      ["not-asked device_in_use", undefined, 0],
    ],
    "are not asked of a device that was opened just now": [
      device,
      (at) => void at.uses.set(uuidOf(1), { kind: "unknown", why: "who knows" }),
      ["not-asked device_in_use", undefined, 0],
    ],
    "are never shown to another vendor's driver": [
      { driverPrefix: "u" },
      undefined,
      ["not-asked driver_changed", undefined, 0],
    ],
    "are not asked where the type is gone": [
      { at: { kind: "type", parent: "gpu", type: "t-2" } },
      undefined,
      ["not-asked attribute_missing", undefined, 0],
    ],
    "are not asked where there is no attribute": [
      {},
      (at) => void at.entries.delete(PATH),
      ["not-asked attribute_missing", undefined, 0],
    ],
    "are not asked where it cannot be written": [
      {},
      (at) => void at.refusals.set("migration_version", ["EACCES"]),
      ["not-asked attribute_not_writable", "own-1", 1],
    ],
    "take no answer for an answer from a driver that is busy": [
      {},
      (at) => void at.refusals.set("migration_version", ["EBUSY"]),
      ["not-asked probe_unanswered", "own-1", 1],
    ],
    "are not asked with a string that could not be read back": [
      { version: "two\nlines" },
      undefined,
      ["not-asked version_malformed", "own-1", 0],
    ],
  };
  for (const [name, [wanted, prepare, expected]] of Object.entries(CASES)) {
    it(name, async () => assert.deepEqual(await ask(wanted, prepare), expected));
  }

  it("are asked anew once they have left the desired state", async () => {
    const at = place();
    at.entries.set(PATH, "own-1\n");
    at.probes.push(probe);
    const follower = openPlace(at);
    await follower.follow(desiredOf(at));
    at.probes.length = 0;
    assert.deepEqual((await follower.follow(desiredOf(at))).probes, []);
    at.probes.push(probe);
    await follower.follow(desiredOf(at));
    assert.equal(at.log.length, 2);
  });
});
