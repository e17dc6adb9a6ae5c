// SPDX-License-Identifier: Apache-2.0

import { getSystemErrorMap } from "node:util";

/**
 * Errors that the kernel has and Node has no name for (include/uapi/asm-generic/errno.h, include/linux/errno.h). EUSERS
 * is what the mdev core answers when a parent has no room.
 */
const UNKNOWN_TO_NODE: ReadonlyMap<number, string> = new Map([
  [35, "EDEADLK"],
  [37, "ENOLCK"],
  [62, "ETIME"],
  [87, "EUSERS"],
  [116, "ESTALE"],
  [122, "EDQUOT"],
  [123, "ENOMEDIUM"],
  [524, "ENOTSUPP"],
]);

/** The kernel's name of an error number, sign ignored; `errno <number>` where there is none. */
export function nameErrorNumber(errno: number): string {
  const number = Math.abs(errno);
  return getSystemErrorMap().get(-number)?.[0] ?? UNKNOWN_TO_NODE.get(number) ?? `errno ${number}`;
}

/** The kernel's name of a file system error. Rethrows what is none: a bug, or an assertion of a test. */
export function nameErrno(error: unknown): string {
  if (!(error instanceof Error)) throw error;
  const { code, errno } = error as NodeJS.ErrnoException;
  if (code === undefined || errno === undefined) throw error;
  return /^E[A-Z0-9]+$/.test(code) ? code : nameErrorNumber(errno);
}
