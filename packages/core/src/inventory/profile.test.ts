// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { STRICT_POLICY, type Policy } from "../compatibility/policy.ts";
import { absent, known, unreadable, valueOf, type Evidence } from "../device/evidence.ts";
import type { HostSnapshot } from "../device/host-snapshot.ts";
import type { MdevType } from "../device/mdev-type.ts";
import { parsePciAddress } from "../device/address.ts";
import type { PciFunction } from "../device/pci-function.ts";
import type { VfioDevice } from "../device/vfio-device.ts";
import { testSnapshot } from "../placement/test-fleet.ts";
import { profileOfDevice, profileOfType } from "./profile.ts";

const UUID = "00000000-0000-4000-8000-000000000001";
const AT: Evidence = { host: "h", source: "sysfs", path: "/sys/test" };
const BASE = testSnapshot({
  host: "h",
  parents: [{ id: "p", types: [{ id: "drv-a", available: 3, version: "1.5.0" }] }],
  devices: [{ id: UUID, parent: "p", type: "drv-a" }],
});

/** The base host with its one type and its one device changed. */
function snapshot(change: {
  readonly type?: Partial<MdevType>;
  readonly device?: Partial<VfioDevice>;
  readonly host?: Partial<HostSnapshot>;
}): HostSnapshot {
  return {
    ...BASE,
    parents: BASE.parents.map((parent) => ({
      ...parent,
      types: parent.types.map((type) => ({ ...type, ...change.type })),
    })),
    devices: BASE.devices.map((device) => ({ ...device, ...change.device })),
    ...change.host,
  };
}

const ADDRESS = parsePciAddress("0000:03:00.2");
const FUNCTION: PciFunction = {
  address: ADDRESS,
  path: "/sys/devices/pci/0000:03:00.2",
  ids: known({ vendor: "15b3", device: "101e", subsystemVendor: "15b3", subsystemDevice: "0001" }, AT),
  classCode: known("020000", AT),
  driver: known("mlx5_vfio_pci", AT),
  module: known("mlx5_vfio_pci", AT),
  role: "vf",
  virtualFunctions: [],
  totalVirtualFunctions: absent(AT),
  numaNode: absent(AT),
  iommuGroup: known(7, AT),
  assigned: true,
};
const BARE: HostSnapshot = {
  ...BASE,
  parents: [],
  functions: [FUNCTION],
  devices: BASE.devices.map((device) => ({
    ...device,
    kind: "function" as const,
    id: ADDRESS,
    parent: ADDRESS,
    type: absent(AT),
  })),
};

function policyWith(signatures: Policy["signatures"]): Policy {
  return { ...STRICT_POLICY, signatures };
}

describe("profileOfDevice()", () => {
  it("takes what the type says where the device says nothing", () => {
    const profile = profileOfDevice(BASE, UUID, STRICT_POLICY);
    assert.equal(profile?.attributes.softwareVersion.evidence.text, "1.5.0");
    assert.equal(valueOf(profile?.vendorDriver ?? absent(AT)), "drv");
  });

  it("lets a running device's own version stand above its type's", () => {
    const own = known({ major: 1, minor: 4, bugfix: 0 }, { ...AT, text: "1.4.0" });
    const device = { attributes: { softwareVersion: own, migrationVersion: absent(AT) } };
    assert.equal(profileOfDevice(snapshot({ device }), UUID, STRICT_POLICY)?.attributes.softwareVersion, own);
  });

  it("keeps a device's unreadable version unreadable", () => {
    const broken = unreadable("EIO", AT);
    const device = { attributes: { softwareVersion: broken, migrationVersion: absent(AT) } };
    assert.equal(
      profileOfDevice(snapshot({ device }), UUID, STRICT_POLICY)?.attributes.softwareVersion.kind,
      "unreadable",
    );
  });

  it("does not take the attributes of a type that its parent does not list for absent", () => {
    const half = { ...BASE, parents: BASE.parents.map((parent) => ({ ...parent, types: [] })) };
    const { attributes } = profileOfDevice(half, UUID, STRICT_POLICY) ?? assert.fail("the device is there");
    assert.deepEqual(
      [attributes.softwareVersion.kind, attributes.dynamicResources.kind, attributes.compatibleTypes.kind],
      ["unreadable", "unreadable", "unreadable"],
    );
    const torn = { ...BASE, parents: [] };
    assert.equal(profileOfDevice(torn, UUID, STRICT_POLICY)?.attributes.softwareVersion.kind, "unreadable");
  });

  it("gives no mdev device the signature that is declared for its parent", () => {
    const policy = policyWith([{ host: "*", function: "p", type: "mlx5-vf-v1" }]);
    const untyped = snapshot({ device: { type: absent(AT) } });
    assert.equal(profileOfDevice(untyped, UUID, policy)?.type.kind, "absent");
  });

  it("is undefined for a device that is not there", () => {
    assert.equal(profileOfDevice(BASE, "other", STRICT_POLICY), undefined);
  });

  it("gives a physical function the type that the operator declares for it, by address or by ids", () => {
    for (const name of [ADDRESS, "15b3:101e", "15b3:101e:15b3:0001"]) {
      const policy = policyWith([{ host: "*", function: name, type: "mlx5-vf-v1" }]);
      const profile = profileOfDevice(BARE, ADDRESS, policy);
      assert.equal(profile?.type.kind === "known" && profile.type.value, "mlx5-vf-v1", name);
      assert.equal(profile?.type.evidence.source, "declaration");
      assert.equal(profile === undefined ? "" : valueOf(profile.vendorDriver), "mlx5");
    }
  });

  it("leaves a function's type absent where nothing, or another host's function, is declared", () => {
    assert.equal(profileOfDevice(BARE, ADDRESS, STRICT_POLICY)?.type.kind, "absent");
    const policy = policyWith([{ host: "elsewhere", function: ADDRESS, type: "mlx5-vf-v1" }]);
    assert.equal(profileOfDevice(BARE, ADDRESS, policy)?.type.kind, "absent");
  });

  it("does not choose between two declarations that disagree", () => {
    const policy = policyWith([
      { host: "*", function: "15b3:101e", type: "mlx5-vf-v1" },
      { host: "h", function: ADDRESS, type: "mlx5-vf-v2" },
    ]);
    assert.equal(profileOfDevice(BARE, ADDRESS, policy)?.type.kind, "unreadable");
  });
});

describe("facts of a profile", () => {
  const device = { facts: { a: known("device", AT), gone: absent(AT) } };
  const host = { facts: { a: known("host", AT), gone: known("host", AT), __proto__x: known("x", AT) } };

  it("are the nearest ones; an absent one lets a farther one through", () => {
    const facts = profileOfDevice(snapshot({ device, host }), UUID, STRICT_POLICY)?.facts ?? {};
    assert.deepEqual(
      ["a", "gone", "os"].map((name) => facts[name]?.kind === "known" && facts[name].value),
      ["device", "host", "debian 13"],
    );
  });

  it("are filled by declarations only where nothing else knows, the subject's before the host's", () => {
    const facts = [
      { host: "h", name: "a", value: "declared" },
      { host: "h", name: "b", value: "for the host" },
      { host: "h", subject: UUID, name: "b", value: "for the device" },
      { host: "other", name: "c", value: "no" },
    ];
    const merged = profileOfDevice(snapshot({ device, host }), UUID, { ...STRICT_POLICY, facts })?.facts ?? {};
    assert.equal(merged["a"]?.kind === "known" && merged["a"].value, "device");
    assert.equal(merged["b"]?.kind === "known" && merged["b"].value, "for the device");
    assert.equal(Object.hasOwn(merged, "c"), false);
  });

  it("does not let a declaration cover up what could not be read", () => {
    const broken = { facts: { ecc_mode: unreadable("EIO", AT) } };
    const facts = [{ host: "*", name: "ecc_mode", value: "on" }];
    const merged = profileOfDevice(snapshot({ device: broken }), UUID, { ...STRICT_POLICY, facts })?.facts ?? {};
    assert.equal(merged["ecc_mode"]?.kind, "unreadable");
  });

  it("takes hostile names as names", () => {
    const facts = [{ host: "*", name: "__proto__", value: "x" }];
    const merged = profileOfDevice(BASE, UUID, { ...STRICT_POLICY, facts })?.facts ?? {};
    assert.equal(Object.hasOwn(merged, "__proto__"), true);
    assert.equal(Object.getPrototypeOf(merged), Object.prototype);
  });
});

describe("profileOfType()", () => {
  const attributes = BASE.parents[0]?.types[0]?.attributes;
  assert.ok(attributes !== undefined);

  const AGGREGATION = {
    "is one unit that cannot change where the driver says nothing": {
      type: {},
      expected: { count: 1, settable: false },
    },
    "can be set up to the type's maximum": {
      type: { maxAggregation: known(30, AT) },
      expected: { count: 1, settable: true, max: 30 },
    },
    "cannot be set where the maximum is one": {
      type: { maxAggregation: known(1, AT) },
      expected: { count: 1, settable: false, max: 1 },
    },
    "can be set where a dynamic resource of the type is its aggregation": {
      type: { attributes: { ...attributes, dynamicResources: known(["fps", "aggregator"], AT) } },
      expected: { count: 1, settable: true, attribute: "aggregator" },
    },
  };
  for (const [name, { type, expected }] of Object.entries(AGGREGATION)) {
    it(`has an aggregation that ${name}`, () => {
      const profile = profileOfType(snapshot({ type }), { parent: "p", type: "drv-a" }, STRICT_POLICY);
      assert.deepEqual(profile?.aggregation.kind === "known" && profile.aggregation.value, expected);
    });
  }

  it("keeps an unreadable maximum unreadable", () => {
    const type = { maxAggregation: unreadable("EIO", AT) };
    const profile = profileOfType(snapshot({ type }), { parent: "p", type: "drv-a" }, STRICT_POLICY);
    assert.equal(profile?.aggregation.kind, "unreadable");
  });

  it("is undefined for a parent or a type that is not offered", () => {
    assert.equal(profileOfType(BASE, { parent: "q", type: "drv-a" }, STRICT_POLICY), undefined);
    assert.equal(profileOfType(BASE, { parent: "p", type: "drv-b" }, STRICT_POLICY), undefined);
  });

  it("takes migration features from a device of the same type on the host, and only of the same type", () => {
    const features = known({ stopCopy: true, p2p: true, preCopy: false, dirtyTracking: true }, AT);
    const same = profileOfType(snapshot({ device: { features } }), { parent: "p", type: "drv-a" }, STRICT_POLICY);
    assert.equal(same?.features, features);
    const other = profileOfType(
      snapshot({ device: { features, type: absent(AT) } }),
      { parent: "p", type: "drv-a" },
      STRICT_POLICY,
    );
    assert.equal(other?.features.kind, "absent");
  });
});

describe("apTaken of a profile", () => {
  const bus = {
    queues: [],
    controlDomains: absent(AT),
    maxAdapterId: absent(AT),
    maxDomainId: absent(AT),
    hostAdapters: absent(AT),
    hostDomains: absent(AT),
    features: absent(AT),
  };
  const matrix = known([{ adapter: 1, domain: 5 }], AT);
  const ap = { matrix, guestMatrix: absent(AT), controlDomains: absent(AT), apConfig: absent(AT) };
  const taken = (device: Partial<VfioDevice>) =>
    profileOfType(snapshot({ device, host: { apBus: bus } }), { parent: "p", type: "drv-a" }, STRICT_POLICY)?.apTaken;

  it("is what the other devices hold", () => assert.deepEqual(taken({ ap }), ["01.0005"]));

  it("is not known where one of them cannot be read", () => {
    assert.equal(taken({ ap: { ...ap, matrix: unreadable("EIO", AT) } }), undefined);
    assert.equal(taken({ ap: { ...ap, matrix: absent(AT) } }), undefined);
  });
});

describe("features of a type", () => {
  const features = known({ stopCopy: true, p2p: true, preCopy: false, dirtyTracking: true }, AT);
  const [parent] = BASE.parents;
  const [device] = BASE.devices;
  assert.ok(parent !== undefined && device !== undefined);
  const ids = (text: string) => known({ vendor: text, device: "1", subsystemVendor: "1", subsystemDevice: "1" }, AT);
  const OTHER = parsePciAddress("0000:03:00.3");
  const on = (vendor: string, driver = "test"): HostSnapshot => ({
    ...BASE,
    parents: [
      { ...parent, id: ADDRESS, pci: ADDRESS },
      { ...parent, id: OTHER, pci: OTHER, driver: known(driver, AT) },
    ],
    functions: [FUNCTION, { ...FUNCTION, address: OTHER, ids: ids(vendor) }].map((one, at) =>
      at === 0 ? { ...one, ids: ids("15b3") } : one,
    ),
    devices: [{ ...device, parent: OTHER, features }],
  });
  const ask = (host: HostSnapshot) => profileOfType(host, { parent: ADDRESS, type: "drv-a" }, STRICT_POLICY)?.features;

  it("are those of a device on hardware of the same ids under the same driver", () =>
    assert.equal(ask(on("15b3")), features));
  it("are not those of other hardware", () => assert.equal(ask(on("10de"))?.kind, "absent"));
  it("are not those of hardware whose ids cannot be read, like as it may be", () => {
    const host = on("15b3");
    const functions = host.functions.map((one) => ({ ...one, ids: unreadable("EIO", AT) }));
    assert.equal(ask({ ...host, functions })?.kind, "absent");
  });
  it("are not those of another driver", () => assert.equal(ask(on("15b3", "other"))?.kind, "absent"));
  it("are first of all those of a device on the same parent", () => {
    const none = known({ stopCopy: false, p2p: false, preCopy: false, dirtyTracking: false }, AT);
    const host = on("15b3");
    const devices = [...host.devices, { ...device, id: "second", parent: ADDRESS, features: none }];
    assert.equal(ask({ ...host, devices }), none);
  });
});
