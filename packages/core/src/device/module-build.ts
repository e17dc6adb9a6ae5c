// SPDX-License-Identifier: Apache-2.0

import type { Reading } from "./evidence.ts";

/** Which build of a kernel module is loaded, as /sys/module shows it. */
export interface ModuleBuild {
  readonly name: string;
  /** MODULE_VERSION, free text. Information only: two builds may share it. */
  readonly version: Reading<string>;
  readonly srcversion: Reading<string>;
  /** GNU build-id from notes/.note.gnu.build-id, lower-case hexadecimal. */
  readonly buildId: Reading<string>;
  /** Letters of /sys/module/<name>/taint. */
  readonly taint: Reading<string>;
}

/** The running kernel. */
export interface KernelBuild {
  /** `uname -r`, such as `6.12.107+deb13-amd64`. */
  readonly release: Reading<string>;
  /** The whole of /proc/version: compiler and build number make two kernels of one release distinct. */
  readonly version: Reading<string>;
}
