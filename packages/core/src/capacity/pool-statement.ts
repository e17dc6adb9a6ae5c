// SPDX-License-Identifier: Apache-2.0

/**
 * What a driver pack says about the room of its devices, handed in as a plain value.
 * Every field but `pack` has the shape and meaning of a pack's own `pool` field.
 */
export interface PoolStatement {
  /** The pack's name, printed as the origin of the law. */
  readonly pack: string;
  /** Whose budget it is. `physical-function-or-parent`: the PF of a VF parent, otherwise the parent. */
  readonly owner: "parent" | "physical-function-or-parent";
  readonly law: "counters" | "one-size" | "slots" | "units" | "unbounded";
  /** Counter totals where they are known, such as mtty's 24 ports; `framebuffer` in MiB; `slots` for a slots pool. */
  readonly totals?: Readonly<Record<string, number>>;
  /** Consumption by type id, where the type id decides. */
  readonly consumption?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Consumption read out of `description`: counter name to the key before `=` or `:`. */
  readonly describedBy?: Readonly<Record<string, string>>;
  /** Most devices on one VF parent. */
  readonly perVirtualFunction?: number;
  /** Slots pools: where a device of each type id may sit. */
  readonly placements?: Readonly<Record<string, { readonly length: number; readonly starts: readonly number[] }>>;
}
