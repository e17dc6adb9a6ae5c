// SPDX-License-Identifier: Apache-2.0

import type { ClaimReason } from "@berth/core/claim/claim";
import { explainUsage } from "@berth/core/device/device-use";
import { quoteText } from "@berth/core/device/quoted-text";
import type { ProbeReply, WantedProbe } from "@berth/core/provision/desired-state";
import { formatMigrationVersion, parseMigrationVersion } from "@berth/core/sysfs/migration-version";
import { devicePath, parentPath, typePath } from "@berth/core/sysfs/paths";
import type { SysfsTree } from "../host/sysfs-tree.ts";
import type { HostLook } from "./host-eye.ts";
import { findOwner } from "./owner-names.ts";
import type { Workbench } from "./workbench.ts";

/** The attribute takes and shows at most 4096 characters and a newline (section 3.1). */
const TEXT_MAX = 4097;
/** What the writer or the kernel's files answer before a driver is asked. */
const NOT_WRITABLE: ReadonlySet<string> = new Set(["EACCES", "EPERM", "EROFS", "EXDEV", "EISDIR", "ELOOP", "ENOTDIR"]);
/** What says nothing about the string. */
const NO_ANSWER: ReadonlySet<string> = new Set(["EINTR", "EAGAIN", "ENOMEM", "EBUSY", "ETIMEDOUT"]);

/**
 * Asks the driver of this host whether it would load a state (R8): writes the source's string to `migration_version`.
 * Never to another vendor's driver, and never at a device that somebody uses. Takes the lock of the pool's owner.
 */
export async function askProbe(bench: Workbench, probe: WantedProbe, signal?: AbortSignal): Promise<ProbeReply> {
  const { snapshot } = bench.eye.look();
  const owner = findOwner(snapshot, findParent(probe, bench.eye.look()) ?? "");
  return bench.locks.withOwners([owner], () => Promise.resolve(askDriver(bench, probe)), signal);
}

function askDriver({ eye, hands }: Workbench, probe: WantedProbe): ProbeReply {
  const look = eye.look();
  const refusal = checkPlace(probe, look) ?? checkUse(probe, look, hands.useOf);
  if (refusal !== undefined) return notAsked(probe, refusal);
  const path = placeOfProbe(probe);
  const tree = hands.look();
  const own = readOwn(tree, path);
  const told = own === undefined ? {} : { destinationVersion: own };
  if (tree.resolve(path).kind !== "path") {
    return notAsked(probe, { code: "attribute_missing", text: `${path} is not there: nothing can be asked` });
  }
  let line: string;
  try {
    line = formatMigrationVersion(probe.version);
  } catch {
    const text = `${quoteText(probe.version)} is no migration_version`;
    return { ...notAsked(probe, { code: "version_malformed", text }), ...told };
  }
  const written = hands.writer.write(path, line);
  if (written.kind === "written") return { id: probe.id, outcome: { kind: "accepted" }, ...told };
  const { errno, why = `writing ${path} fails with ${errno}` } = written;
  const reason = explainErrno(errno, why);
  if (reason !== undefined) return { ...notAsked(probe, reason), ...told };
  return { id: probe.id, outcome: { kind: "refused", errno }, ...told };
}

function explainErrno(errno: string, why: string): ClaimReason | undefined {
  if (errno === "ENOENT") return { code: "attribute_missing", text: why };
  if (NOT_WRITABLE.has(errno)) return { code: "attribute_not_writable", text: why };
  return NO_ANSWER.has(errno) ? { code: "probe_unanswered", text: why } : undefined;
}

/** The parent whose pool the question is about; undefined where the device is not there. */
function findParent({ at }: WantedProbe, { snapshot }: HostLook): string | undefined {
  if (at.kind === "type") return at.parent;
  return snapshot.devices.find(({ id }) => id === at.device)?.parent;
}

/** The driver that stands there now must be the one that the string is meant for. */
function checkPlace(probe: WantedProbe, look: HostLook): ClaimReason | undefined {
  const { snapshot } = look;
  const { at, driverPrefix } = probe;
  const parent = snapshot.parents.find(({ id }) => id === findParent(probe, look));
  const device = at.kind === "device" ? snapshot.devices.find(({ id }) => id === at.device) : undefined;
  const typeId = at.kind === "type" ? at.type : device?.type.kind === "known" ? device.type.value : undefined;
  const type = parent?.types.find(({ id }) => id === typeId);
  const what = at.kind === "type" ? `${at.type} on ${at.parent}` : at.device;
  if (parent?.framework !== "mdev" || type === undefined) {
    return { code: "attribute_missing", text: `${what} is not on this host, or its type cannot be read` };
  }
  if (type.driverPrefix === driverPrefix) return undefined;
  const text = `${what} is of the driver ${type.driverPrefix} now, and the string is meant for ${driverPrefix}`;
  return { code: "driver_changed", text };
}

function checkUse(
  { at }: WantedProbe,
  { snapshot }: HostLook,
  useOf: Workbench["hands"]["useOf"],
): ClaimReason | undefined {
  if (at.kind === "type") return undefined;
  const usage = explainUsage(snapshot, at.device);
  if (usage.kind !== "unused") return { code: "device_in_use", text: `${at.device} is ${usage.text}` };
  const use = useOf(at.device);
  if (use.kind === "free") return undefined;
  const by = use.kind === "in-use" ? `in use by ${use.by}` : `perhaps in use: ${use.why}`;
  return { code: "device_in_use", text: `${at.device} is ${by}` };
}

/** The names were found on the host, so they are names. */
function placeOfProbe({ at }: WantedProbe): string {
  const folder = at.kind === "type" ? typePath(parentPath(at.parent), at.type) : devicePath(at.device);
  return `${folder}/migration_version`;
}

function readOwn(tree: SysfsTree, path: string): string | undefined {
  const read = tree.read(path, TEXT_MAX);
  if (read.kind !== "text") return undefined;
  try {
    return parseMigrationVersion(read.text);
  } catch {
    return undefined;
  }
}

function notAsked({ id }: WantedProbe, reason: ClaimReason): ProbeReply {
  return { id, outcome: { kind: "not-asked", reason } };
}
