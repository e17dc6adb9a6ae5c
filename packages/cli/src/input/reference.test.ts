// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { testSnapshot } from "@berth/core/placement/test-fleet";
import { findReference } from "./reference.ts";

const UUID = "aaaaaaaa-0000-4000-8000-0000000000ab";
const PCI = "0000:26:00.4";

/** Hosts whose names could be taken for something else. */
const HOSTS = ["a", "0000", UUID].map((host, index) =>
  testSnapshot({
    host,
    parents: [{ id: "0000:08:01.7", types: [{ id: "nvidia-746", available: 1 }] }],
    devices: [
      {
        id: index === 0 ? UUID : `bbbbbbbb-0000-4000-8000-00000000000${index}`,
        parent: "0000:08:01.7",
        type: "nvidia-746",
      },
      ...(index === 1 ? [{ id: PCI, parent: PCI, type: "nvidia-746" }] : []),
    ],
  }),
);

const FOUND = {
  "finds a device by its id alone": [UUID, { host: "a", device: UUID }],
  "takes a UUID in upper case": [UUID.toUpperCase(), { host: "a", device: UUID }],
  "finds a device on a named host": [`a:${UUID}`, { host: "a", device: UUID }],
  "finds a function by its address alone": [PCI, { host: "0000", device: PCI }],
  "finds a function on a host that is called like a PCI domain": [`0000:${PCI}`, { host: "0000", device: PCI }],
  "finds a type on a parent with colons in its name": [
    "a:0000:08:01.7/nvidia-746",
    { host: "a", parent: "0000:08:01.7", type: "nvidia-746" },
  ],
  "finds a type on a host that is called like a PCI domain": [
    "0000:0000:08:01.7/nvidia-746",
    { host: "0000", parent: "0000:08:01.7", type: "nvidia-746" },
  ],
  "finds a device on a host that is called like a UUID": [
    `${UUID}:bbbbbbbb-0000-4000-8000-000000000002`,
    { host: UUID, device: "bbbbbbbb-0000-4000-8000-000000000002" },
  ],
} as const;

const REFUSED = {
  "refuses a type that names no host": ["0001:08:01.7/nvidia-746", "invalid_reference"],
  "refuses a UUID of 37 characters": [`a:${UUID}0`, "invalid_uuid"],
  "refuses a host that was not given": [`b:${UUID}`, "unknown_host"],
  "refuses a device that is not there": ["a:0000:99:00.0", "unknown_device"],
  "refuses a parent that is not there": ["a:__proto__/nvidia-746", "unknown_parent"],
  "refuses a type that is not there": ["a:0000:08:01.7/constructor", "unknown_type"],
  "refuses an empty reference": ["", "unknown_device"],
} as const;

describe("findReference()", () => {
  for (const [name, [text, ref]] of Object.entries(FOUND)) {
    it(name, () => assert.deepEqual(findReference(text, HOSTS).ref, ref));
  }
  for (const [name, [text, code]] of Object.entries(REFUSED)) {
    it(name, () => assert.throws(() => findReference(text, HOSTS), { name: "BerthError", code }));
  }
});
