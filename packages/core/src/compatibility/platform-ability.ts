// SPDX-License-Identifier: Apache-2.0

import type { Evidence } from "../device/evidence.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import { findMigrationStatement } from "./packs/find-statements.ts";
import type { LoadedPack } from "./packs/pack.ts";
import type { End } from "./platform-minima.ts";
import { factOf } from "./side.ts";

/** Whether one end's driver can migrate its device at all, by the best evidence there is (R10). */
export type Ability =
  | {
      readonly kind: "able";
      readonly by: "qemu" | "debugfs" | "pack";
      readonly text: string;
      readonly evidence: Evidence;
      /** Undefined: not said. */
      readonly p2p: boolean | undefined;
      readonly dirtyTracking: boolean | undefined;
      readonly pack?: LoadedPack;
    }
  | {
      readonly kind: "unable";
      readonly by: "qemu" | "debugfs" | "pack";
      readonly text: string;
      readonly evidence: Evidence;
      readonly pack?: LoadedPack;
    }
  | { readonly kind: "unknown"; readonly text: string; readonly evidence: Evidence };

/**
 * Asks the evidence in the order of its worth: QEMU's own blocked reasons (of the running VM, so at the source only),
 * VFIO debugfs, the packs' statements for this driver and kernel. What does not speak is passed over.
 */
export function findAbility(end: End, profile: MigrationProfile, packs: readonly LoadedPack[]): Ability {
  const asked = end === "source" ? askQemu(profile) : undefined;
  return asked ?? askDebugfs(profile) ?? askPacks(profile, packs);
}

/** QEMU blocks a VM itself when a device cannot migrate, lacks P2P beside another one, or lacks dirty tracking. */
function askQemu(profile: MigrationProfile): Ability | undefined {
  const reading = factOf(profile, "qemu_blocked_reasons");
  if (reading.kind !== "known") return undefined;
  const { evidence } = reading;
  const text = reading.value.trim();
  if (text !== "")
    return { kind: "unable", by: "qemu", text: `QEMU blocks the migration of the VM: ${text}`, evidence };
  const clear = "QEMU names nothing that blocks the migration of the VM";
  return { kind: "able", by: "qemu", text: clear, evidence, p2p: true, dirtyTracking: true };
}

function askDebugfs({ features, subject }: MigrationProfile): Ability | undefined {
  if (features.kind !== "known") return undefined;
  const { evidence } = features;
  const { stopCopy, p2p, dirtyTracking } = features.value;
  const device = `${subject.id} on ${subject.host}`;
  return stopCopy
    ? { kind: "able", by: "debugfs", text: `VFIO shows that ${device} can migrate`, evidence, p2p, dirtyTracking }
    : { kind: "unable", by: "debugfs", text: `VFIO shows that ${device} cannot migrate`, evidence };
}

function askPacks(profile: MigrationProfile, packs: readonly LoadedPack[]): Ability {
  const found = findMigrationStatement(profile, packs);
  const evidence: Evidence = { host: profile.subject.host, source: "pack", path: "driver packs" };
  if (found.kind === "unknown") return { kind: "unknown", text: found.why, evidence };
  const { statement, pack } = found;
  const { name, version } = pack.pack;
  const stated: Evidence = { ...evidence, path: `pack ${name} ${version}`, text: statement.text };
  // A doubtful statement was only read about: it says neither yes nor no.
  if (statement.doubtful === true)
    return { kind: "unknown", text: `pack ${name} is in doubt: ${statement.text}`, evidence: stated };
  const text = `pack ${name} says of ${profile.subject.host}: ${statement.text}`;
  if (!statement.supported) return { kind: "unable", by: "pack", text, evidence: stated, pack };
  const { p2p, dirtyTracking } = statement;
  return { kind: "able", by: "pack", text, evidence: stated, p2p, dirtyTracking, pack };
}
