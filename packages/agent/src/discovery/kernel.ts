// SPDX-License-Identifier: Apache-2.0

import type { Reading } from "@berth/core/device/evidence";
import type { KernelBuild } from "@berth/core/device/module-build";
import { parseAttributeText } from "@berth/core/sysfs/attribute-text";
import { parseKernelRelease, parseOsRelease } from "@berth/core/sysfs/kernel";
import { noteDangling, readAttribute } from "./read-attribute.ts";
import type { Scan } from "./scan.ts";

const OS_RELEASE = "/etc/os-release";
/** Where os-release(5) says the file is when /etc has none. */
const OS_RELEASE_VENDOR = "/usr/lib/os-release";
const OS_RELEASE_MAX = 65_536;

/** Reads which kernel runs. */
export function readKernel(scan: Scan): KernelBuild {
  return {
    release: readAttribute(
      scan,
      { path: "/proc/sys/kernel/osrelease", isRequired: true },
      (raw) => parseKernelRelease(raw).text,
    ),
    version: readAttribute(scan, { path: "/proc/version", isRequired: true }, parseAttributeText),
  };
}

/** Reads which operating system it is. */
export function readOs(scan: Scan): Reading<string> {
  const at = scan.tree.resolve(OS_RELEASE);
  if (at.kind === "dangling") noteDangling(scan, OS_RELEASE, at.path);
  const path = at.kind === "absent" || at.kind === "dangling" ? OS_RELEASE_VENDOR : OS_RELEASE;
  return readAttribute(scan, { path, maxBytes: OS_RELEASE_MAX }, parseOsRelease);
}
