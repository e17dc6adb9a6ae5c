// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "@berth/core/device/quoted-text";
import { nameErrorNumber } from "./errno-name.ts";
import type { Command, CommandRunner, Ran } from "./command-runner.ts";

/** Whether mdevctl can be used for a root, and how. */
export type Mdevctl =
  | { readonly kind: "usable"; readonly version: string; readonly variables: Readonly<Record<string, string>> }
  | { readonly kind: "unusable"; readonly why: string };

/** A callout script of the operator's may be slow; mdevctl itself takes milliseconds. */
export const MDEVCTL_TIMEOUT_MS = 30_000;

const VERSION = /^mdevctl (\d{1,6})\.(\d{1,6})(?:\.\d{1,6})?(?:[-+~].*)?\s*$/;

/**
 * Finds mdevctl and tells whether it would work on the host under `root`. In place (`/`) every version does. For
 * another root it must be 1.3 or newer: an older one knows no override and would change this machine instead.
 */
export async function findMdevctl(runner: CommandRunner, root: string): Promise<Mdevctl> {
  const ran = await runner.run({ program: "mdevctl", args: ["--version"], timeoutMs: MDEVCTL_TIMEOUT_MS });
  if (ran.kind === "not-started" && ran.errno === "ENOENT") return unusable("mdevctl is not installed");
  if (ran.kind !== "exited" || ran.code !== 0) return unusable(`mdevctl --version fails: ${explainRan(ran)}`);
  const match = VERSION.exec(ran.stdout);
  if (match === null) return unusable(`mdevctl --version says ${quoteText(ran.stdout.trim())}`);
  const version = ran.stdout.trim().slice("mdevctl ".length);
  if (root === "/") return { kind: "usable", version, variables: {} };
  const [major, minor] = [Number(match[1]), Number(match[2])];
  if (major > 1 || (major === 1 && minor >= 3)) {
    return { kind: "usable", version, variables: { MDEVCTL_ENV_ROOT: root } };
  }
  return unusable(`mdevctl ${version} cannot work below ${root}: it knows no other root than /`);
}

/** What one of mdevctl's verbs needs. */
export type Verb =
  | { readonly kind: "define"; readonly uuid: string; readonly parent: string; readonly file: string }
  | { readonly kind: "undefine" | "start"; readonly uuid: string; readonly parent: string }
  | { readonly kind: "stop"; readonly uuid: string };

/** Makes the command line of a verb. Options take their value after `=`, so that no value is read as an option. */
export function makeMdevctlCommand(verb: Verb, variables: Readonly<Record<string, string>>): Command {
  const args: string[] = [verb.kind, `--uuid=${verb.uuid}`];
  if (verb.kind !== "stop") args.push(`--parent=${verb.parent}`);
  if (verb.kind === "define") args.push(`--jsonfile=${verb.file}`);
  return { program: "mdevctl", args, variables, timeoutMs: MDEVCTL_TIMEOUT_MS };
}

/** One line about how a command ended: its exit and the first of what it complained. */
export function explainRan(ran: Ran): string {
  if (ran.kind === "not-started") return `it cannot be started: ${ran.errno}`;
  const said = ran.stderr.trim().replaceAll(/\s*\n\s*/g, "; ");
  const saying = said === "" ? "" : `, saying ${quoteText(said)}`;
  if (ran.kind === "exited") return `exit ${ran.code}${saying}`;
  return ran.kind === "timed-out" ? `killed after its time was over${saying}` : `killed by ${ran.signal}${saying}`;
}

/** The errno that a program written in Rust prints with a refusal of the kernel; undefined where it prints none. */
export function findErrno(stderr: string): string | undefined {
  const number = Number(/\(os error (\d{1,4})\)/.exec(stderr)?.[1] ?? "0");
  return number === 0 ? undefined : nameErrorNumber(number);
}

function unusable(why: string): Mdevctl {
  return { kind: "unusable", why };
}
