// SPDX-License-Identifier: Apache-2.0

import type { ClaimedDevice } from "@berth/core/claim/claim";
import { explainUsage } from "@berth/core/device/device-use";
import type { Usage } from "@berth/core/device/device-use";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";

/** Whether anybody uses a device of a claim: `unused` only where that is known of all of them. */
export function findClaimUsage(snapshot: HostSnapshot, devices: readonly ClaimedDevice[]): Usage {
  const usages = devices.map(({ occupant: { id } }) => ({ id, usage: explainUsage(snapshot, id) }));
  const used = usages.find(({ usage }) => usage.kind === "used");
  const telling = used ?? usages.find(({ usage }) => usage.kind === "unknown");
  if (telling === undefined) return { kind: "unused", text: "unused" };
  return { kind: telling.usage.kind, text: `${telling.id} is ${telling.usage.text}` };
}

/** Who uses a device, for a plan that must not touch it: somebody who may be there and cannot be seen counts too. */
export function listUsers(snapshot: HostSnapshot, { occupant: { id }, vacated }: ClaimedDevice): readonly string[] {
  const usage = explainUsage(snapshot, id);
  const users: string[] = [];
  if (usage.kind === "used") users.push(usage.text.replace(/^in use by /, ""));
  if (usage.kind === "unknown") users.push(`somebody perhaps: ${usage.text}`);
  // What Berth did not make was not defined by it either: whoever defined it means to have it again.
  const isDefined = snapshot.uses.some(
    ({ device, user }) => device === id && user.kind === "definition" && user.by === "mdevctl",
  );
  return vacated === true && isDefined ? [...users, "a definition in mdevctl"] : users;
}
