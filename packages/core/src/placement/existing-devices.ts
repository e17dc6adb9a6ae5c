// SPDX-License-Identifier: Apache-2.0

import { NO_MEMORY, type Memory, type Pair } from "../compatibility/pair.ts";
import { explainUsage } from "../device/device-use.ts";
import { valueOf } from "../device/evidence.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import type { Fleet, FleetHost } from "../inventory/fleet.ts";
import { profileOfDevice } from "../inventory/profile.ts";
import type { ExistingDevice } from "./answer.ts";
import { checkPair } from "./check-pair.ts";

/** What existing devices are compared with. */
export interface ExistingQuestion {
  readonly source: MigrationProfile;
  readonly fleet: Fleet;
  readonly memory?: Memory;
}

/**
 * Unused devices of the source's very type that could take its state: neither verdict is a no, and they have or can grow to
 * its units. A device of which it is not known whether anybody uses it is not among them. Sorted by host, then device.
 */
export function findExistingDevices(
  hosts: readonly FleetHost[],
  question: ExistingQuestion,
): readonly ExistingDevice[] {
  const type = valueOf(question.source.type);
  if (type === undefined) return [];
  return hosts.flatMap((host) => {
    const alike = host.snapshot.devices.filter(
      (device) => valueOf(device.type) === type && explainUsage(host.snapshot, device.id).kind === "unused",
    );
    return alike
      .flatMap(({ id }) => judgeExisting(host, id, question) ?? [])
      .toSorted((a, b) => (a.device < b.device ? -1 : 1));
  });
}

function judgeExisting(host: FleetHost, device: string, question: ExistingQuestion): ExistingDevice | undefined {
  const { fleet, source, memory = NO_MEMORY } = question;
  const destination = profileOfDevice(host.snapshot, device, fleet.policy);
  const type = destination === undefined ? undefined : valueOf(destination.type);
  if (destination === undefined || type === undefined) return undefined;
  const pair: Pair = { source, destination, policy: fleet.policy, packs: fleet.packs, memory };
  const name = host.snapshot.host;
  const { verdict, platform, room } = checkPair(pair, { pools: host.pools, host: name, device });
  if (verdict.kind === "incompatible" || platform.kind === "incompatible") return undefined;
  if (room !== undefined && room.atLeast < 1) return undefined;
  return { host: name, device, parent: destination.subject.parent, type, verdict, platform };
}
