// SPDX-License-Identifier: Apache-2.0

import { fixedAttribute } from "../tree/node.ts";
import type { Kernel } from "./kernel.ts";

/** One build of a loaded module, as /sys/module shows it. What is left out has no file there. */
export interface ModuleSpec {
  readonly name: string;
  /** MODULE_VERSION. */
  readonly version?: string;
  /** 23 hexadecimal digits in upper case. */
  readonly srcversion?: string;
  /** GNU build-id in hexadecimal; shown as the ELF note that notes/.note.gnu.build-id holds. */
  readonly buildId?: string;
  /** Letters such as `OE` (out of tree, unsigned); empty in a distribution's own modules. */
  readonly taint?: string;
}

/** Loads a module: its folder under /sys/module. Loading it again replaces the build. */
export function loadModule(kernel: Kernel, module: ModuleSpec): void {
  const folder = `/sys/module/${module.name}`;
  kernel.tree.removeEntry(folder);
  const texts = { ...module, taint: module.taint ?? "", refcnt: "0", initstate: "live" };
  for (const name of ["version", "srcversion", "taint", "refcnt", "initstate"] as const) {
    const text = texts[name];
    if (text !== undefined) kernel.tree.addAttribute(`${folder}/${name}`, fixedAttribute(text));
  }
  if (module.buildId !== undefined) {
    const bytes = formatBuildIdNote(module.buildId);
    const show = () => ({ kind: "bytes", bytes }) as const;
    kernel.tree.addAttribute(`${folder}/notes/.note.gnu.build-id`, { mode: 0o444, size: bytes.length, show });
  }
}

/** The ELF note of a build-id, little endian: sizes of name and id, type 3 (NT_GNU_BUILD_ID), `GNU` and a NUL, the id. */
export function formatBuildIdNote(buildId: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})+$/.test(buildId)) {
    throw new SyntaxError(`Cannot make a build-id note: expected pairs of hexadecimal digits, got "${buildId}"`);
  }
  const id = Array.from({ length: buildId.length / 2 }, (_, i) => Number.parseInt(buildId.slice(2 * i, 2 * i + 2), 16));
  return Uint8Array.from([4, 0, 0, 0, id.length, 0, 0, 0, 3, 0, 0, 0, 0x47, 0x4e, 0x55, 0, ...id]);
}
