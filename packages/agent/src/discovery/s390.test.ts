// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { valueOf } from "@berth/core/device/evidence";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { openMemoryTree } from "../host/memory-tree.ts";
import { readHost } from "./read-host.ts";
import { KERNEL, link, mdevDevice, UUIDS } from "./sample-trees.ts";
import type { Entries } from "./sample-trees.ts";

const MATRIX = "/sys/devices/vfio_ap/matrix";
const CARD = "/sys/devices/ap/card01";
const CHANNEL = "/sys/devices/css0/0.0.0313";
const mask = (start: string): string => `0x${start.padEnd(64, "0")}`;

const AP: Entries = {
  "/sys/bus/ap/ap_control_domain_mask": `${mask("06")}\n`,
  "/sys/bus/ap/ap_max_adapter_id": "63\n",
  "/sys/bus/ap/ap_max_domain_id": "84\n",
  "/sys/bus/ap/apmask": `${mask("80")}\n`,
  "/sys/bus/ap/aqmask": `${mask("ff")}\n`,
  "/sys/bus/ap/devices/01.0005": link("../../../devices/ap/card01/01.0005"),
  "/sys/bus/ap/devices/01.0006": link("../../../devices/ap/card01/01.0006"),
  "/sys/bus/ap/devices/card01": link("../../../devices/ap/card01"),
  [`${CARD}/hwtype`]: "14\n",
  [`${CARD}/type`]: "CEX8C\n",
  [`${CARD}/ap_functions`]: "0x92000000\n",
  [`${CARD}/01.0005/driver`]: link("../../../../bus/ap/drivers/vfio_ap"),
  [`${CARD}/01.0006/online`]: "1\n",
  "/sys/bus/ap/drivers/vfio_ap/bind": { kind: "file", content: "", mode: 0o200 },
  "/sys/bus/matrix/devices/matrix": link("../../../devices/vfio_ap/matrix"),
  "/sys/class/mdev_bus/matrix": link("../../devices/vfio_ap/matrix"),
  "/sys/bus/matrix/drivers/vfio_ap/module": link("../../../../module/vfio_ap"),
  "/sys/module/vfio_ap/srcversion": "A\n",
  [`${MATRIX}/driver`]: link("../../../bus/matrix/drivers/vfio_ap"),
  [`${MATRIX}/features`]: "guest_matrix hotplug ap_config\n",
  [`${MATRIX}/mdev_supported_types/vfio_ap-passthrough/device_api`]: "vfio-ap\n",
  [`${MATRIX}/mdev_supported_types/vfio_ap-passthrough/available_instances`]: "65535\n",
  [`${MATRIX}/mdev_supported_types/vfio_ap-passthrough/name`]: "VFIO AP Passthrough Device\n",
  ...mdevDevice(
    { parent: MATRIX, uuid: UUIDS[0], type: "vfio_ap-passthrough" },
    {
      matrix: "01.0005\n01.0006\n",
      guest_matrix: "01.0005\n",
      control_domains: "0005\n",
      ap_config: `${mask("40")},${mask("06")},${mask("04")}\n`,
    },
  ),
};

const CCW: Entries = {
  "/sys/bus/css/devices/0.0.0313": link("../../../devices/css0/0.0.0313"),
  "/sys/class/mdev_bus/0.0.0313": link("../../devices/css0/0.0.0313"),
  "/sys/bus/css/drivers/vfio_ccw/module": link("../../../../module/vfio_ccw"),
  "/sys/module/vfio_ccw/srcversion": "B\n",
  [`${CHANNEL}/driver`]: link("../../../bus/css/drivers/vfio_ccw"),
  [`${CHANNEL}/type`]: "0\n",
  [`${CHANNEL}/chpids`]: "50 00 51 00 00 00 00 00 \n",
  [`${CHANNEL}/pimpampom`]: "e0 e0 ff\n",
  [`${CHANNEL}/mdev_supported_types/vfio_ccw-io/device_api`]: "vfio-ccw\n",
  [`${CHANNEL}/mdev_supported_types/vfio_ccw-io/available_instances`]: "1\n",
  "/sys/devices/css0/chp0.00/type": "1a\n",
  "/sys/devices/css0/chp0.50/type": "1a\n",
  "/sys/devices/css0/chp0.51/type": "1b\n",
};

function read(...parts: readonly Entries[]): HostSnapshot {
  return readHost(openMemoryTree(Object.entries(Object.assign({}, KERNEL, ...parts) as Entries)), "h");
}

describe("readHost() on vfio-ap", () => {
  it("reads the bus: queues with driver and card, masks, limits, features", () => {
    const snapshot = read(AP);
    assert.deepEqual(snapshot.problems, []);
    const bus = snapshot.apBus;
    assert.ok(bus !== undefined);
    assert.deepEqual(
      bus.queues.map(({ apqn, driver, hardwareType, cardType, functions }) => [
        apqn.adapter,
        apqn.domain,
        valueOf(driver),
        valueOf(hardwareType),
        valueOf(cardType),
        valueOf(functions),
      ]),
      [
        [1, 5, "vfio_ap", 14, "CEX8C", "0x92000000"],
        [1, 6, undefined, 14, "CEX8C", "0x92000000"],
      ],
    );
    assert.deepEqual([valueOf(bus.maxAdapterId), valueOf(bus.maxDomainId)], [63, 84]);
    assert.deepEqual(
      [valueOf(bus.hostAdapters), valueOf(bus.hostDomains), valueOf(bus.controlDomains)],
      [[0], [0, 1, 2, 3, 4, 5, 6, 7], [5, 6]],
    );
    assert.deepEqual(valueOf(bus.features), ["guest_matrix", "hotplug", "ap_config"]);
  });

  it("reads a device's matrix, its parent and module", () => {
    const snapshot = read(AP);
    const [device] = snapshot.devices;
    assert.ok(device?.ap !== undefined);
    assert.deepEqual(valueOf(device.ap.matrix), [
      { adapter: 1, domain: 5 },
      { adapter: 1, domain: 6 },
    ]);
    assert.deepEqual(valueOf(device.ap.guestMatrix), [{ adapter: 1, domain: 5 }]);
    assert.deepEqual(valueOf(device.ap.controlDomains), [5]);
    assert.deepEqual(valueOf(device.ap.apConfig), { adapters: [1], domains: [5, 6], controlDomains: [5] });
    const [parent] = snapshot.parents;
    assert.deepEqual(
      [parent?.id, parent?.poolOwner, parent?.module.kind === "known" && parent.module.value],
      ["matrix", { kind: "parent", id: "matrix" }, "vfio_ap"],
    );
    assert.equal(parent?.types[0]?.driverPrefix, "vfio_ap");
  });

  it("has no bus on other machines", () => assert.equal("apBus" in read(), false));

  it("names a queue that is none, and a card that is not there", () => {
    const snapshot = read(AP, {
      "/sys/bus/ap/devices/01.xyz": link("x"),
      "/sys/bus/ap/devices/card01": link("nowhere"),
    });
    assert.deepEqual(
      snapshot.problems.map(({ code, path }) => `${code} ${path}`),
      ["name_malformed /sys/bus/ap/devices/01.xyz", "link_broken /sys/bus/ap/devices/card01"],
    );
    assert.deepEqual(
      snapshot.apBus?.queues.map(({ hardwareType }) => hardwareType.kind),
      ["absent", "absent"],
    );
  });
});

describe("readHost() on vfio-ccw", () => {
  it("reads the subchannel: paths in use and their types", () => {
    const snapshot = read(CCW);
    assert.deepEqual(snapshot.problems, []);
    const [parent] = snapshot.parents;
    const subchannel = parent?.subchannel;
    assert.ok(subchannel !== undefined);
    assert.deepEqual([subchannel.id, valueOf(subchannel.type)], ["0.0.0313", 0]);
    assert.deepEqual(valueOf(subchannel.chpids), ["50", "00", "51"]);
    assert.deepEqual(valueOf(subchannel.chpidTypes), ["1a", "1b"]);
    assert.deepEqual([valueOf(parent?.driver as never), parent?.poolOwner.kind], ["vfio_ccw", "parent"]);
  });

  it("leaves the types unknown where one path has none", () => {
    const { "/sys/devices/css0/chp0.51/type": _, ...slice } = CCW;
    const snapshot = read(slice);
    assert.equal(snapshot.parents[0]?.subchannel?.chpidTypes.kind, "unreadable");
    assert.deepEqual(
      snapshot.problems.map(({ code, path }) => `${code} ${path}`),
      ["attribute_missing /sys/devices/css0/chp0.51/type"],
    );
  });

  it("leaves out a 00 that may be masked off where the masks are not there", () => {
    const { [`${CHANNEL}/pimpampom`]: _, ...slice } = CCW;
    assert.deepEqual(valueOf(read(slice).parents[0]?.subchannel?.chpids as never), ["50", "51"]);
  });
});
