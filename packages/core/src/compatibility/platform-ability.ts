// SPDX-License-Identifier: Apache-2.0

import type { Evidence } from "../device/evidence.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import { findMigrationStatement } from "./packs/find-statements.ts";
import type { LoadedPack } from "./packs/pack.ts";
import type { End } from "./platform-minima.ts";
import { factOf } from "./side.ts";

/** Who speaks of an end's ability. */
type Witness = "qemu" | "debugfs" | "probe" | "pack";

/** Whether one end's driver can migrate its device at all, by the best evidence there is (R10). */
export type Ability =
  | {
      readonly kind: "able";
      readonly by: Witness;
      readonly text: string;
      readonly evidence: Evidence;
      /** Undefined: not said. */
      readonly p2p: boolean | undefined;
      readonly dirtyTracking: boolean | undefined;
      readonly pack?: LoadedPack;
    }
  | {
      readonly kind: "unable";
      readonly by: Witness;
      readonly text: string;
      readonly evidence: Evidence;
      readonly pack?: LoadedPack;
    }
  | { readonly kind: "unknown"; readonly text: string; readonly evidence: Evidence };

/**
 * Asks the evidence in the order of its worth: QEMU's own blocked reasons (of the running VM, so at the source only),
 * VFIO debugfs, an explicit probe on an unused device, the packs' statements for this driver and kernel. What does not
 * speak is passed over.
 */
export function findAbility(end: End, profile: MigrationProfile, packs: readonly LoadedPack[]): Ability {
  const asked = end === "source" ? askQemu(profile) : undefined;
  return asked ?? askDebugfs(profile) ?? askProbe(profile) ?? askPacks(profile, packs);
}

/** QEMU blocks a VM itself when a device cannot migrate, lacks P2P beside another one, or lacks dirty tracking. */
function askQemu(profile: MigrationProfile): Ability | undefined {
  const reading = factOf(profile, "qemu_blocked_reasons");
  if (reading.kind !== "known") return undefined;
  const { evidence } = reading;
  const text = reading.value.trim();
  if (text !== "")
    return { kind: "unable", by: "qemu", text: `QEMU blocks the migration of the VM: ${text}`, evidence };
  // An operator's word that nothing blocks is no word of QEMU's: what the kernel shows stands above it.
  if (evidence.source === "declaration" && isShown(profile.features)) return undefined;
  const clear = "QEMU names nothing that blocks the migration of the VM";
  return { kind: "able", by: "qemu", text: clear, evidence, p2p: true, dirtyTracking: true };
}

function isShown(features: MigrationProfile["features"]): boolean {
  return features.kind === "known" && features.evidence.source !== "declaration";
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

/** What a probe can find, in the words of VFIO debugfs. */
const PROBED: ReadonlySet<string> = new Set(["stop-copy", "p2p", "pre-copy", "dirty-tracking"]);

/**
 * What opening an unused device of this driver told, as the fact `vfio_migration_probe`: words such as `stop-copy p2p`,
 * or `none`. A text that says neither leaves it open; a pack does not know better than a probe that went wrong.
 */
function askProbe(profile: MigrationProfile): Ability | undefined {
  const reading = factOf(profile, "vfio_migration_probe");
  if (reading.kind === "absent") return undefined;
  const { evidence } = reading;
  const device = `a device like ${profile.subject.id} on ${profile.subject.host}`;
  const text = reading.kind === "known" ? reading.value.trim().toLowerCase() : "";
  if (text === "none")
    return { kind: "unable", by: "probe", text: `a probe found that ${device} cannot migrate`, evidence };
  const words = new Set(text.split(/[\s,]+/));
  if (!words.has("stop-copy") || ![...words].every((word) => PROBED.has(word))) {
    return { kind: "unknown", text: "the answer of a probe cannot be read", evidence };
  }
  const [p2p, dirtyTracking] = [words.has("p2p"), words.has("dirty-tracking")];
  return { kind: "able", by: "probe", text: `a probe found that ${device} can migrate`, evidence, p2p, dirtyTracking };
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
