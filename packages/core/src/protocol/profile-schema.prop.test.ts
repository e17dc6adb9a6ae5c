// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Reading } from "../device/evidence.ts";
import { absent, known, unreadable } from "../device/evidence.ts";
import type { TypeId } from "../device/mdev-type.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import { parseSubchannelId } from "../device/address.ts";
import { BerthError } from "./berth-error.ts";
import { parseJsonText } from "./json-text.ts";
import { formatProfileDocument, parseProfileDocument } from "./profile-schema.ts";

const AT = { host: "a", source: "sysfs", path: "/sys/x" } as const;
const text = fc.string({ maxLength: 12 });
const named = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
const item = fc.string({ minLength: 1, maxLength: 8 });
const byte = fc.integer({ min: 0, max: 255 });
const hex4 = fc.stringMatching(/^[0-9a-f]{4}$/);

function readingOf<T>(value: fc.Arbitrary<T>): fc.Arbitrary<Reading<T>> {
  const raw = fc.option(fc.string({ maxLength: 8 }), { nil: undefined });
  return fc.oneof(
    { weight: 3, arbitrary: value.map((some) => known(some, AT)) },
    { weight: 1, arbitrary: fc.constant(absent(AT)) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(item, raw)
        .map(([why, was]) => unreadable(why, was === undefined ? AT : { ...AT, text: was })),
    },
  );
}

const strings = fc.array(item, { maxLength: 3 });
const bytes = fc.array(byte, { maxLength: 3 });
const apqns = fc.array(fc.record({ adapter: byte, domain: byte }), { maxLength: 3 });
const version = fc.record({ major: fc.nat(99), minor: fc.nat(99), bugfix: fc.nat(99) });
const aggregation = fc.record(
  {
    count: fc.integer({ min: 1, max: 99 }),
    settable: fc.boolean(),
    attribute: item,
    max: fc.integer({ min: 1, max: 99 }),
  },
  { requiredKeys: ["count", "settable"] },
);
const typeId = fc.stringMatching(/^[a-z_]{1,6}-[a-z0-9]{1,6}$/).map((some) => some as TypeId);
const flags = fc.record({
  stopCopy: fc.boolean(),
  p2p: fc.boolean(),
  preCopy: fc.boolean(),
  dirtyTracking: fc.boolean(),
});

const resources = fc
  .tuple(fc.uniqueArray(named, { maxLength: 3 }), fc.array(readingOf(text), { minLength: 3, maxLength: 3 }))
  .map(([names, readings]) => ({
    names: known(names, AT),
    values: Object.fromEntries(names.map((name, index) => [name, readings[index] ?? absent(AT)])),
  }));

const apBus = fc.record({
  queues: fc.array(
    fc.record({
      apqn: fc.record({ adapter: byte, domain: byte }),
      driver: readingOf(text),
      hardwareType: readingOf(fc.nat(99)),
      cardType: readingOf(text),
      functions: readingOf(text),
    }),
    { maxLength: 2 },
  ),
  controlDomains: readingOf(bytes),
  maxAdapterId: readingOf(byte),
  maxDomainId: readingOf(byte),
  hostAdapters: readingOf(bytes),
  hostDomains: readingOf(bytes),
  features: readingOf(strings),
});

const profile: fc.Arbitrary<MigrationProfile> = fc
  .record(
    {
      subject: fc.record({ kind: fc.constant("device" as const), host: item, parent: item, id: item }),
      framework: fc.constantFrom("mdev", "vendor-vfio", "function"),
      vendorDriver: readingOf(text),
      deviceApi: readingOf(fc.constantFrom("vfio-pci", "vfio-ap")),
      type: readingOf(typeId),
      module: readingOf(
        fc.record({
          name: item,
          version: readingOf(text),
          srcversion: readingOf(text),
          buildId: readingOf(text),
          taint: readingOf(text),
        }),
      ),
      kernel: fc.record({ release: readingOf(text), version: readingOf(text) }),
      firmware: readingOf(text),
      pciIds: readingOf(fc.record({ vendor: hex4, device: hex4, subsystemVendor: hex4, subsystemDevice: hex4 })),
      aggregation: readingOf(aggregation),
      features: readingOf(flags),
      facts: fc.dictionary(named, readingOf(text), { maxKeys: 3 }),
      resources,
      softwareVersion: readingOf(version),
      compatibleTypes: readingOf(strings),
      compatible: fc.dictionary(named, readingOf(strings), { maxKeys: 3 }),
      migrationVersion: readingOf(text),
      ap: fc.record({
        matrix: readingOf(apqns),
        guestMatrix: readingOf(apqns),
        controlDomains: readingOf(bytes),
        apConfig: readingOf(fc.record({ adapters: bytes, domains: bytes, controlDomains: bytes })),
      }),
      apBus,
      subchannel: fc.record({
        id: fc.constant(parseSubchannelId("0.0.0313")),
        type: readingOf(byte),
        chpids: readingOf(strings),
        chpidTypes: readingOf(strings),
      }),
    },
    { noNullPrototype: true },
  )
  .map(({ resources: { names, values }, softwareVersion, compatibleTypes, compatible, migrationVersion, ...rest }) => ({
    ...rest,
    dynamicValues: values,
    attributes: { softwareVersion, compatibleTypes, compatible, migrationVersion, dynamicResources: names },
  }));

/** The facts without their evidence. Absent facts in maps are as good as none; a driver is inferred from the type. */
function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip);
  if (typeof value !== "object" || value === null) return value;
  const { evidence, ...rest } = value as { readonly evidence?: { readonly text?: string } };
  if (evidence !== undefined && "kind" in rest) {
    return rest.kind === "unreadable" ? { ...rest, text: evidence.text } : strip(rest);
  }
  const entries = Object.entries(rest).map(([key, inner]) => [key, strip(inner)] as const);
  return Object.fromEntries(entries.filter(([, inner]) => JSON.stringify(inner) !== '{"kind":"absent"}'));
}

describe("formatProfileDocument() laws", () => {
  it("D1: what is written is read back to the same facts", () => {
    fc.assert(
      fc.property(profile, (some) => {
        const again = parseProfileDocument(parseJsonText(JSON.stringify(formatProfileDocument(some)), "p"), "p");
        const inferred = some.vendorDriver.kind === "absent" && some.type.kind === "known";
        assert.deepEqual(strip({ ...again, ...(inferred && { vendorDriver: some.vendorDriver }) }), strip(some));
      }),
      { numRuns: 200 },
    );
  });

  it("D2: writing again changes nothing", () => {
    fc.assert(
      fc.property(profile, (some) => {
        const written = formatProfileDocument(parseProfileDocument(formatProfileDocument(some), "p"));
        assert.deepEqual(formatProfileDocument(parseProfileDocument(written, "p")), written);
      }),
      { numRuns: 100 },
    );
  });

  it("D3: no JSON crashes the reader: it is a profile or a coded error", () => {
    const head = { profile: "berth.profile/v1", host: "a", kind: "device", parent: "p", id: "u" };
    const keys = [
      "type",
      "module",
      "kernel",
      "dynamicResources",
      "aggregation",
      "ap",
      "apBus",
      "subchannel",
      "facts",
      "compatible",
      "features",
      "pciIds",
    ];
    const near = fc.dictionary(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 3 }), {
      maxKeys: 3,
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          near.map((some) => ({ ...head, ...some })),
        ),
        (value) => {
          try {
            parseProfileDocument(value, "p");
          } catch (error) {
            assert.ok(error instanceof BerthError && error.code.startsWith("profile_"), String(error));
            assert.ok(error.details.length > 0 || error.code === "profile_unsupported_version");
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});
