// SPDX-License-Identifier: Apache-2.0

import { isShown } from "../claim/claimed-value.ts";

/** One effect on a host. The edge executes it; core never does. Paths of attributes are relative to the device's folder. */
export type Effect =
  /** Writes a UUID to the `create` of a type; `aggregate` in the dialects whose create takes a count. */
  | {
      readonly kind: "create";
      readonly parent: string;
      readonly type: string;
      readonly uuid: string;
      readonly aggregate?: number;
      /** The word before the count; absent: `aggregate`. The first draft said `instances`. */
      readonly parameter?: "instances";
    }
  /** Writes 1 to the `remove` of a device. */
  | { readonly kind: "remove"; readonly uuid: string }
  /** An attribute is looked for at the device, then one folder below it: `findAttributePath`. */
  | { readonly kind: "write"; readonly uuid: string; readonly attribute: string; readonly value: string }
  /** Changes nothing: the read-back is what counts. */
  | { readonly kind: "check"; readonly uuid: string }
  /** Writes `current_vgpu_type` of a virtual function; 0 takes the type away. */
  | { readonly kind: "set-vgpu-type"; readonly address: string; readonly typeNumber: number }
  /** Writes `ap_config` of a vfio-ap device that nobody uses. */
  | { readonly kind: "set-ap-config"; readonly uuid: string; readonly config: string }
  /** mdevctl's words: a definition that survives a reboot, and the device made from it with callouts run. */
  | { readonly kind: "define"; readonly uuid: string; readonly parent: string; readonly definition: string }
  | { readonly kind: "undefine"; readonly uuid: string; readonly parent: string }
  | { readonly kind: "start"; readonly uuid: string; readonly parent: string }
  | { readonly kind: "stop"; readonly uuid: string };

/** What must be read after an effect for it to count: `isReadBack` compares. */
export interface ReadBack {
  /** Absolute path on the host. Below a device it is looked for as the attribute of a write is. */
  readonly path: string;
  readonly expected: string;
  /** The path is a link, and the last part of where it leads is read. Absent: the text of a file. */
  readonly as?: "link";
}

/** Compares what was read with what was expected (D7): as text after trimming, as integers where both are. */
export function isReadBack(readBack: ReadBack, text: string): boolean {
  return isShown(readBack.expected, text);
}

/** One step of making or unmaking a claim's devices: what to do, what to read back, and how to take it back. */
export interface Step {
  readonly effect: Effect;
  readonly readBack?: ReadBack;
  /** Read first; where the read-back holds already, nothing is done and nothing is taken back (D20). */
  readonly skipWhenEqual?: true;
  /** Done in reverse order when this read-back or a later step fails. Absent: nothing to take back. */
  readonly undo?: Effect;
  /** One sentence for `--dry-run` and progress, without a full stop. */
  readonly text: string;
}
