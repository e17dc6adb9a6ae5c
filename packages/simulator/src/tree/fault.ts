// SPDX-License-Identifier: Apache-2.0

import { refused, type Node } from "./node.ts";

/** What can be made wrong at one path of a simulated machine. */
export type Fault =
  /** Reading, writing, listing or passing through fails with this errno, such as EIO. */
  | { readonly kind: "errno"; readonly errno: string }
  /** The file reads as this text, newline or not, of any length. */
  | { readonly kind: "text"; readonly text: string }
  /** It is not there. Links to it dangle. */
  | { readonly kind: "absent" }
  /** It is there for so many accesses, and gone after them: a device unplugged during a scan. */
  | { readonly kind: "vanishes"; readonly afterAccesses: number }
  /** It is a symbolic link with this text, whatever it was. */
  | { readonly kind: "link"; readonly target: string };

/** A fault where it stands. */
export interface PlacedFault {
  /** Absolute path; links in all but its last part are followed when the fault is placed. */
  readonly path: string;
  readonly fault: Fault;
}

/** A fault with how often its path was reached since it was placed. */
export interface FaultState {
  readonly fault: Fault;
  accesses: number;
}

/** Counts an access of a path that has a fault. */
export function countAccess(state: FaultState): void {
  state.accesses += 1;
}

/** Whether a path with this fault is not there now. */
export function isGone(state: FaultState | undefined): boolean {
  if (state === undefined) return false;
  if (state.fault.kind === "absent") return true;
  return state.fault.kind === "vanishes" && state.accesses > state.fault.afterAccesses;
}

/** The node that stands at a path with a fault, given the one that would stand there; undefined: none. */
export function findFaultyNode(state: FaultState, node: Node | undefined): Node | undefined {
  if (isGone(state)) return undefined;
  const fault = state.fault;
  if (fault.kind === "link") return { kind: "link", target: fault.target };
  if (fault.kind === "text") {
    const mode = node?.kind === "attribute" ? node.attribute.mode | 0o444 : 0o444;
    return { kind: "attribute", attribute: { mode, show: () => ({ kind: "text", text: fault.text }) } };
  }
  if (fault.kind === "errno" && node?.kind === "attribute") {
    const fail = () => refused(fault.errno);
    return { kind: "attribute", attribute: { mode: node.attribute.mode, show: fail, store: fail } };
  }
  return node;
}
