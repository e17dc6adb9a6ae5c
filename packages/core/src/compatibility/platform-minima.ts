// SPDX-License-Identifier: Apache-2.0

import type { Reading } from "../device/evidence.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import { combineFindings } from "./combine-findings.ts";
import { compareDotted, parseDotted, parseKernelRelease } from "./packs/dotted.ts";
import type { Pair } from "./pair.ts";
import { factOf, sideOf } from "./side.ts";
import { findings, NO_FINDINGS, type Findings, type Remedy, type Side } from "./verdict.ts";

/** Which end of a move a profile is. */
export type End = "source" | "destination";

/** A version that both ends need at least (R10; section 10.3: what the libvirt stack needs for mdev live migration). */
interface Minimum {
  readonly code: "qemu_version" | "libvirt_version" | "kernel_release";
  readonly name: string;
  readonly atLeast: string;
  readonly read: (profile: MigrationProfile) => Reading<string>;
}

const MINIMA: readonly Minimum[] = [
  { code: "kernel_release", name: "kernel", atLeast: "5.18", read: (profile) => profile.kernel.release },
  { code: "qemu_version", name: "QEMU", atLeast: "8.1.0", read: (profile) => factOf(profile, "qemu_version") },
  { code: "libvirt_version", name: "libvirt", atLeast: "8.6.0", read: (profile) => factOf(profile, "libvirt_version") },
];

const OFF: ReadonlySet<string> = new Set(["off", "no", "false", "0", "disabled", "never"]);
const ON: ReadonlySet<string> = new Set(["on", "yes", "true", "1", "enabled"]);

/** Reads a switch as people and tools write it; undefined for any other text. */
export function parseSwitch(text: string): "on" | "off" | undefined {
  const word = text.trim().toLowerCase();
  return ON.has(word) ? "on" : OFF.has(word) ? "off" : undefined;
}

/** A finding's side under the end it belongs to. */
export function sideAt(end: End, side: Side): { readonly source?: Side; readonly destination?: Side } {
  return end === "source" ? { source: side } : { destination: side };
}

/** Whether both ends of a pair have the kernel, QEMU and libvirt that live migration of VFIO devices needs. */
export function checkMinima({ source, destination }: Pair): Findings {
  return combineFindings(
    MINIMA.flatMap((minimum) => [
      checkMinimum("source", source, minimum),
      checkMinimum("destination", destination, minimum),
    ]),
  );
}

function checkMinimum(end: End, profile: MigrationProfile, minimum: Minimum): Findings {
  const { name, atLeast } = minimum;
  const reading = minimum.read(profile);
  const ends = sideAt(end, sideOf(reading));
  const where = `the ${end} host ${profile.subject.host}`;
  const version = reading.kind === "known" ? parseKernelRelease(reading.value) : undefined;
  const wanted = parseDotted(atLeast);
  if (version === undefined || wanted === undefined) {
    const text = `the ${name} version of ${where} is not known; it has to be ${atLeast} or newer`;
    return findings({ missing: [{ rule: "R10", ...unknownCode(minimum), text, ...ends }] });
  }
  if (compareDotted(version, wanted) >= 0) return NO_FINDINGS;
  const text = `${name} ${sideOf(reading).value ?? ""} of ${where} is older than ${atLeast}`;
  const remedy = remedyAt(end, minimum, profile.subject.host);
  return findings({ reasons: [{ rule: "R10", code: minimum.code, text, ...ends, remedy }] });
}

/** A VM that runs keeps its kernel and its QEMU until it is shut down; libvirt can be upgraded beneath it. */
function remedyAt(end: End, { code, name, atLeast }: Minimum, on: string): Remedy {
  const runsOn = end === "source" && code !== "libvirt_version";
  return runsOn ? { kind: "move-cold" } : { kind: "upgrade-driver", driver: name, atLeast, on };
}

function unknownCode({ code }: Minimum): Pick<Findings["missing"][number], "code" | "remedy"> {
  switch (code) {
    case "kernel_release":
      return { code: "kernel_release_unknown" };
    case "qemu_version":
      return { code: "qemu_version_unknown", remedy: { kind: "declare", fact: "qemu_version" } };
    case "libvirt_version":
      return { code: "libvirt_version_unknown", remedy: { kind: "declare", fact: "libvirt_version" } };
  }
}

/** Post-copy cannot be used with VFIO devices. A host that does not say whether its migrations use it is noted. */
export function checkPostCopy({ source, destination }: Pair): Findings {
  return combineFindings([checkPostCopyAt("source", source), checkPostCopyAt("destination", destination)]);
}

function checkPostCopyAt(end: End, profile: MigrationProfile): Findings {
  const reading = factOf(profile, "migration_post_copy");
  const ends = sideAt(end, sideOf(reading));
  const host = `the ${end} host ${profile.subject.host}`;
  if (reading.kind === "absent") {
    const text = `whether migrations of ${host} use post-copy is not known; it has to be off`;
    return findings({ notes: [{ rule: "R10", code: "post_copy_unknown", text }] });
  }
  const setting = reading.kind === "known" ? parseSwitch(reading.value) : undefined;
  if (setting === "off") return NO_FINDINGS;
  const remedy = { kind: "change-setting", setting: "migration_post_copy", value: "off" } as const;
  if (setting === "on") {
    const text = `migrations of ${host} use post-copy, which VFIO devices cannot do`;
    return findings({ reasons: [{ rule: "R10", code: "post_copy", text, ...ends, remedy }] });
  }
  const text = `migration_post_copy of ${host} says neither on nor off`;
  const declare = { kind: "declare", fact: "migration_post_copy" } as const;
  return findings({ missing: [{ rule: "R10", code: "post_copy_unreadable", text, ...ends, remedy: declare }] });
}
