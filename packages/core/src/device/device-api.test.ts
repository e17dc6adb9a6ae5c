// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEVICE_APIS, parseDeviceApi } from "./device-api.ts";

const REFUSED: Readonly<Record<string, string>> = {
  "refuses vfio-mdev, which is no device API": "vfio-mdev",
  "refuses the underscore of the drafts": "vfio_pci",
  "refuses upper case": "VFIO-PCI",
  "refuses an empty text": "",
  "refuses a trailing LF": "vfio-pci\n",
  "refuses a trailing space": "vfio-pci ",
  "refuses a list": "vfio-pci,vfio-ap",
  "refuses a key of Object.prototype": "__proto__",
  "refuses a property of arrays": "length",
};

describe("parseDeviceApi()", () => {
  it("reads the five values of include/uapi/linux/vfio.h", () => {
    assert.deepEqual(DEVICE_APIS.map(parseDeviceApi), [
      "vfio-pci",
      "vfio-platform",
      "vfio-amba",
      "vfio-ccw",
      "vfio-ap",
    ]);
  });

  for (const [name, text] of Object.entries(REFUSED)) {
    it(name, () =>
      assert.throws(() => parseDeviceApi(text), { name: "SyntaxError", message: /expected one of vfio-pci/ }),
    );
  }

  it("shortens the text that it quotes", () => {
    assert.throws(() => parseDeviceApi("x".repeat(10_000)), { message: /^.{1,250}$/ });
  });
});
