// SPDX-License-Identifier: Apache-2.0

import * as fs from "node:fs";

import type { Effect } from "@berth/core/provision/step";
import type { SysfsTree } from "../host/sysfs-tree.ts";
import type { CommandRunner } from "./command-runner.ts";
import { findAttributePlace } from "./attribute-place.ts";
import { deviceFolder, placeOf } from "./effect-place.ts";
import { nameErrno } from "./errno-name.ts";
import type { HostWriter, Written } from "./host-writer.ts";
import { explainRan, findErrno, makeMdevctlCommand } from "./mdevctl.ts";
import type { Mdevctl, Verb } from "./mdevctl.ts";
import type { FailureCode } from "./outcome.ts";

/** Whether anybody uses a device: an open file of its VFIO group or device. Not knowing is never taken for `free`. */
export type Use =
  | { readonly kind: "free" }
  | { readonly kind: "in-use"; readonly by: string }
  | { readonly kind: "unknown"; readonly why: string };

/** All that executing needs of a host. */
export interface Hands {
  readonly writer: HostWriter;
  /** Opens a fresh look at the host. */
  readonly look: () => SysfsTree;
  readonly runner: CommandRunner;
  /** As `findMdevctl` found it. */
  readonly mdevctl: Mdevctl;
  /** A directory that only this user can enter; definitions stand there while mdevctl reads them. */
  readonly scratch: string;
  /** Asked with a UUID or a PCI address right before a device is taken away or changed under its user. */
  readonly useOf: (identity: string) => Use;
}

/** What an effect came to, as far as the kernel or mdevctl said. */
export type Applied =
  | { readonly kind: "applied" }
  | { readonly kind: "failed"; readonly code: FailureCode; readonly errno?: string; readonly why: string };

/** Does one effect, once. Whether the host shows it is the caller's to look at. */
export async function applyEffect(effect: Effect, hands: Hands): Promise<Applied> {
  switch (effect.kind) {
    case "create": {
      const count = effect.aggregate === undefined ? "" : `,${effect.parameter ?? "aggregate"}=${effect.aggregate}`;
      return writeLine(placeOf(effect), `${effect.uuid}${count}`, hands);
    }
    case "remove":
      return writeLine(placeOf(effect), "1", hands);
    case "write":
      return writeAttribute(effect, hands);
    case "set-vgpu-type":
      return writeLine(placeOf(effect), String(effect.typeNumber), hands);
    case "set-ap-config":
      return writeLine(placeOf(effect), effect.config, hands);
    case "check":
      return { kind: "applied" };
    case "define":
      return defineDevice(effect, hands);
    case "undefine":
    case "start":
    case "stop":
      return runMdevctl(effect, hands);
  }
}

function writeLine(path: string, line: string, { writer }: Hands): Applied {
  const written: Written = writer.write(path, `${line}\n`);
  if (written.kind === "written") return { kind: "applied" };
  const { errno } = written;
  return { kind: "failed", code: codeOf(errno), errno, why: written.why ?? `writing ${path} fails with ${errno}` };
}

/** ENOSPC and EUSERS are what a full pool answers (mdev drivers, mdev core); EEXIST is a UUID that is in use. */
function codeOf(errno: string): FailureCode {
  if (errno === "ENOSPC" || errno === "EUSERS") return "place_taken";
  return errno === "EEXIST" ? "already_there" : "refused";
}

/** An attribute of a device stands below its folder: a link such as `driver` leads to what is not the device's. */
function writeAttribute(effect: Effect & { readonly kind: "write" }, hands: Hands): Applied {
  const tree = hands.look();
  const path = findAttributePlace(tree, effect.uuid, effect.attribute);
  const device = tree.resolve(deviceFolder(effect.uuid));
  const attribute = tree.resolve(path);
  if (device.kind === "path" && attribute.kind === "path" && !attribute.path.startsWith(`${device.path}/`)) {
    const why = `${effect.attribute} leads to ${attribute.path}, which is not the device's own`;
    return { kind: "failed", code: "refused", errno: "EXDEV", why };
  }
  return writeLine(path, effect.value, hands);
}

/** mdevctl takes a definition as a file. It is written anew each time, so one that a crash left behind does no harm. */
async function defineDevice(effect: Effect & { readonly kind: "define" }, hands: Hands): Promise<Applied> {
  const file = `${hands.scratch}/${effect.uuid}.json`;
  try {
    fs.rmSync(file, { force: true });
    fs.writeFileSync(file, effect.definition, { mode: 0o600, flag: "wx" });
  } catch (error) {
    const errno = nameErrno(error);
    return { kind: "failed", code: "command_failed", errno, why: `writing ${file} fails with ${errno}` };
  }
  try {
    return await runMdevctl({ kind: "define", uuid: effect.uuid, parent: effect.parent, file }, hands);
  } finally {
    fs.rmSync(file, { force: true });
  }
}

async function runMdevctl(verb: Verb, { runner, mdevctl }: Hands): Promise<Applied> {
  if (mdevctl.kind === "unusable") return { kind: "failed", code: "command_missing", why: mdevctl.why };
  const ran = await runner.run(makeMdevctlCommand(verb, mdevctl.variables));
  if (ran.kind === "exited" && ran.code === 0) return { kind: "applied" };
  const why = `mdevctl ${verb.kind} fails: ${explainRan(ran)}`;
  if (ran.kind === "not-started") return { kind: "failed", code: "command_missing", errno: ran.errno, why };
  if (ran.kind === "timed-out") return { kind: "failed", code: "timed_out", why };
  const errno = findErrno(ran.stderr);
  const code = errno === undefined || codeOf(errno) === "refused" ? "command_failed" : codeOf(errno);
  return { kind: "failed", code, why, ...(errno === undefined ? {} : { errno }) };
}
