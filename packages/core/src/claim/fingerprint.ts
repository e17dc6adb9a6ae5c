// SPDX-License-Identifier: Apache-2.0

import { describeBuild } from "../compatibility/same-build.ts";
import { valueOf } from "../device/evidence.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import { formatSoftwareVersion } from "../device/software-version.ts";
import type { ClaimedDevice, Fingerprint } from "./claim.ts";

/** One part of a fingerprint that is not what it was; `now` is absent where it can no longer be read. */
export interface FingerprintChange {
  readonly part: keyof Fingerprint | "type";
  readonly was: string;
  readonly now?: string;
}

/** Whether a place is still what it was when it was claimed. */
export type FingerprintCheck =
  | { readonly kind: "ok" }
  | {
      readonly kind: "changed";
      readonly what: readonly [FingerprintChange, ...FingerprintChange[]];
      readonly text: string;
    };

/** What must still be true of a destination when a device is made there. Undefined where its device API is not known. */
export function fingerprintOf(profile: MigrationProfile): Fingerprint | undefined {
  const deviceApi = valueOf(profile.deviceApi);
  if (deviceApi === undefined) return undefined;
  const build = describeBuild(profile);
  const version = valueOf(profile.attributes.softwareVersion);
  return {
    deviceApi,
    ...(build === undefined ? {} : { build }),
    ...(version === undefined ? {} : { softwareVersion: formatSoftwareVersion(version) }),
  };
}

/**
 * Compares a claimed device's place with what the host shows now, before the device is made (D21). A part that was not
 * known when the claim was decided carried nothing and is not compared; one that was known and cannot be read now has
 * changed. `profile` undefined: the parent no longer offers the type.
 */
export function checkFingerprint(device: ClaimedDevice, profile: MigrationProfile | undefined): FingerprintCheck {
  const was = device.fingerprint;
  const type =
    profile === undefined ? undefined : profile.subject.kind === "type" ? profile.subject.id : valueOf(profile.type);
  if (profile === undefined || (device.type !== "" && type !== device.type)) {
    return changed(device, [{ part: "type", was: device.type, ...(type === undefined ? {} : { now: type }) }]);
  }
  const now: Partial<Fingerprint> = fingerprintOf(profile) ?? {};
  const parts = ["deviceApi", "build", "softwareVersion"] as const;
  const changes = parts.flatMap((part) => {
    const [before, after] = [was[part], now[part]];
    if (before === undefined || before === after) return [];
    return [{ part, was: before, ...(after === undefined ? {} : { now: after }) }];
  });
  return changed(device, changes);
}

function changed(device: ClaimedDevice, changes: readonly FingerprintChange[]): FingerprintCheck {
  const [first, ...rest] = changes;
  if (first === undefined) return { kind: "ok" };
  const told = changes.map(({ part, was, now }) => `${part} was ${was} and is ${now ?? "not to be read"} now`);
  return { kind: "changed", what: [first, ...rest], text: `${device.parent}: ${told.join("; ")}` };
}
