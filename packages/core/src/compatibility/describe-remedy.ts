// SPDX-License-Identifier: Apache-2.0

import type { Remedy } from "./verdict.ts";

/** Puts a remedy into one plain sentence for an operator, without a full stop. */
export function describeRemedy(remedy: Remedy): string {
  switch (remedy.kind) {
    case "recreate":
      return `Re-create the destination device as ${remedy.type}${remedy.count === undefined ? "" : ` x ${remedy.count}`}`;
    case "set":
      return `Set ${remedy.attribute} of the destination device to ${remedy.value}`;
    case "upgrade-driver":
      return describeUpgrade(remedy);
    case "match-driver":
      return `Run ${remedy.driver} ${remedy.version} at the destination, as at the source`;
    case "free":
      return `Free ${remedy.count} x ${remedy.type} on ${remedy.on}`;
    case "empty":
      return `Move everything off ${remedy.on}: it holds ${remedy.types.length === 0 ? "another type" : remedy.types.join(", ")}`;
    case "change-setting":
      return `Set ${remedy.setting} to ${remedy.value}`;
    case "allow":
      return `Allow it in the policy: ${remedy.policy}`;
    case "declare":
      return `Declare the fact ${remedy.fact}, by a fact script on the host or in the policy file`;
    case "probe":
      return "Ask the destination's driver by an explicit probe";
    case "move-cold":
      return "Move the VM cold: shut it down, move it, start it there";
  }
}

function describeUpgrade({ driver, atLeast, below, on }: Extract<Remedy, { readonly kind: "upgrade-driver" }>): string {
  const where = on === undefined ? "at the destination" : `on ${on}`;
  const limit = below === undefined ? "" : `, below ${below}`;
  return `Upgrade ${driver} ${where} to ${atLeast} or newer${limit}`;
}
