// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatRelativeTarget } from "./path.ts";

const GPU = "/sys/devices/pci0000:00/0000:00:10.0";
const MDEV = `${GPU}/aaaaaaaa-0000-4000-8000-000000000001`;

/** Texts of links as Linux 6.12 shows them in fixtures/sysfs/linux-6.12-host-a.tgz. */
const CASES: Readonly<Record<string, readonly [link: string, target: string, text: string]>> = {
  "leads to a sibling": [
    `${MDEV}/mdev_type`,
    `${GPU}/mdev_supported_types/nvidia-231`,
    "../mdev_supported_types/nvidia-231",
  ],
  "leads across the tree": [`${GPU}/driver`, "/sys/bus/pci/drivers/nvidia", "../../../bus/pci/drivers/nvidia"],
  "leads down from a class": ["/sys/class/mdev_bus/0000:00:10.0", GPU, "../../devices/pci0000:00/0000:00:10.0"],
  "goes past an ancestor and names it again": [
    `${MDEV}/vfio-dev/vfio0/device`,
    MDEV,
    "../../../aaaaaaaa-0000-4000-8000-000000000001",
  ],
  "goes up from a type's devices": [
    `${GPU}/mdev_supported_types/nvidia-231/devices/aaaaaaaa-0000-4000-8000-000000000001`,
    MDEV,
    "../../../aaaaaaaa-0000-4000-8000-000000000001",
  ],
  "leads out of /etc": ["/etc/os-release", "/usr/lib/os-release", "../usr/lib/os-release"],
};

describe("formatRelativeTarget()", () => {
  for (const [key, [link, target, text]] of Object.entries(CASES)) {
    it(key, () => assert.equal(formatRelativeTarget(link, target), text));
  }
});
