// SPDX-License-Identifier: Apache-2.0

import type { DeviceApi } from "../device/device-api.ts";
import { absent, known, unreadable, type Evidence, type Reading } from "../device/evidence.ts";
import { parseTypeId } from "../device/mdev-type.ts";
import type { MigrationProfile, Subject } from "../device/migration-profile.ts";
import { parseSoftwareVersion } from "../device/software-version.ts";

/** A text that is known, or one of the two ways of not being. */
export type MadeUpText = string | { readonly not: "absent" | "unreadable" };

/** A profile in few words, for tests; what is left out is what a plain driver with its interface attributes shows. */
export interface MadeUpProfile {
  readonly kind?: Subject["kind"];
  readonly host?: string;
  readonly parent?: string;
  readonly framework?: MigrationProfile["framework"];
  readonly driver?: MadeUpText;
  readonly api?: DeviceApi | { readonly not: "absent" | "unreadable" };
  /** Type id. */
  readonly type?: MadeUpText;
  readonly version?: MadeUpText;
  /** Items by field, separated by commas. */
  readonly fields?: Readonly<Record<string, MadeUpText>>;
  readonly compatibleTypes?: MadeUpText;
  readonly dynamicResources?: MadeUpText;
  readonly dynamicValues?: Readonly<Record<string, string>>;
  readonly migrationVersion?: MadeUpText;
  readonly build?: MadeUpText;
  readonly units?: number;
  readonly facts?: Readonly<Record<string, MadeUpText>>;
  readonly source?: Evidence["source"];
}

const NOTHING = { not: "absent" } as const;

/** The profile that a description stands for. */
export function profileOf(made: MadeUpProfile): MigrationProfile {
  const { kind = "type", host = "h", parent = "0000:08:00.0", type = "drv-t1" } = made;
  const evidence: Evidence = { host, source: made.source ?? "sysfs", path: `/sys/devices/${parent}` };
  const read = (text: MadeUpText): Reading<string> => readingOf(text, evidence);
  const build = read(made.build ?? "b1");
  return {
    subject: { kind, host, parent, id: `${parent}-x` },
    framework: made.framework ?? "mdev",
    vendorDriver: read(made.driver ?? "drv"),
    deviceApi:
      typeof made.api === "object" ? (read(made.api) as Reading<never>) : known(made.api ?? "vfio-pci", evidence),
    type: mapText(read(type), parseTypeId),
    attributes: attributesOf(made, evidence),
    module: known({ name: "drv", version: read("1"), srcversion: build, buildId: build, taint: read("") }, evidence),
    kernel: { release: read("6.12.0"), version: build },
    firmware: read(NOTHING),
    pciIds: read(NOTHING) as Reading<never>,
    aggregation: known({ count: made.units ?? 1, settable: false }, evidence),
    dynamicValues: mapTexts(made.dynamicValues ?? {}, read),
    features: read(NOTHING) as Reading<never>,
    facts: mapTexts(made.facts ?? {}, read),
  };
}

function attributesOf(made: MadeUpProfile, evidence: Evidence): MigrationProfile["attributes"] {
  const read = (text: MadeUpText | undefined): Reading<string> => readingOf(text ?? NOTHING, evidence);
  const list = (text: MadeUpText | undefined): Reading<readonly string[]> => mapText(read(text), itemsOf);
  return {
    softwareVersion: mapText(read(made.version), parseSoftwareVersion),
    compatibleTypes: list(made.compatibleTypes),
    compatible: mapTexts(made.fields ?? {}, list),
    dynamicResources: list(made.dynamicResources),
    migrationVersion: read(made.migrationVersion),
  };
}

function readingOf(text: MadeUpText, evidence: Evidence): Reading<string> {
  if (typeof text === "string") return known(text, { ...evidence, text });
  return text.not === "absent" ? absent(evidence) : unreadable("Made up to be unreadable", evidence);
}

function mapText<T>(reading: Reading<string>, parse: (text: string) => T): Reading<T> {
  return reading.kind === "known" ? known(parse(reading.value), reading.evidence) : reading;
}

function mapTexts<From, To>(
  texts: Readonly<Record<string, From>>,
  read: (text: From) => To,
): Readonly<Record<string, To>> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, read(text)]));
}

function itemsOf(text: string): readonly string[] {
  return text.split(",").filter((item) => item !== "");
}
