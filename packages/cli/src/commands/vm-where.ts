// SPDX-License-Identifier: Apache-2.0

import type { Fleet } from "@berth/core/inventory/fleet";
import type { Judged } from "@berth/core/placement/answer";
import { findVmCandidates } from "@berth/core/placement/find-vm-candidates";
import type { Strategy } from "@berth/core/placement/request";
import type { VmPlacementAnswer, VmRefused } from "@berth/core/placement/vm-answer";
import { BerthError } from "@berth/core/protocol/berth-error";
import { formatProfileDocument } from "@berth/core/protocol/profile-schema";
import { exitCodeOfWhere, type ExitCode } from "../exit-code.ts";
import type { VmReference } from "../input/vm-reference.ts";

/** How a VM's places are looked for. */
export interface VmWhereOptions {
  readonly strategy: Strategy;
  readonly exceptHosts: readonly string[];
  readonly numaNode?: number;
}

/** Where a whole VM can go. Throws BerthError vm_without_devices, or unknown_device where its host does not show one. */
export function findVmWhere(fleet: Fleet, { host, vm }: VmReference, options: VmWhereOptions): VmPlacementAnswer {
  const place = `${host}:${vm.name}`;
  if (vm.devices.length === 0) {
    throw new BerthError("vm_without_devices", `VM ${vm.name} has no device that needs a place`, {
      place,
      expected: "a VM with a VFIO device; berth host lists each with its devices",
    });
  }
  const shown = new Set(
    fleet.hosts.flatMap(({ snapshot }) => (snapshot.host === host ? snapshot.devices.map(({ id }) => id) : [])),
  );
  const missing = vm.devices.map(({ device }) => device).filter((device) => !shown.has(device));
  if (missing.length > 0) {
    throw new BerthError("unknown_device", `VM ${vm.name} has a device that ${host} does not show now`, {
      place,
      details: missing,
      expected: "devices that exist: one that is stopped, or bound to its own driver, has nothing to be compared by",
    });
  }
  return findVmCandidates(fleet, { host, vm: vm.id, ...options });
}

/** What the command exits with: as for one device, over hosts. */
export function exitCodeOfVmWhere({ candidates, elsewhere }: VmPlacementAnswer): ExitCode {
  return exitCodeOfWhere({ candidates, refused: elsewhere });
}

/** The answer with places as names, in the shape where-vm/v1. */
export function vmWhereDocument(answer: VmPlacementAnswer): object {
  const { sources, candidates, elsewhere, nearMisses, ...rest } = answer;
  return {
    sources: sources.map((source) => formatProfileDocument(source)),
    candidates: candidates.map(({ assignments, ...candidate }) => ({
      ...candidate,
      assignments: assignments.map(({ judged, ...assignment }) => ({ ...assignment, ...judgedDocument(judged) })),
    })),
    elsewhere: elsewhere.map(refusedDocument),
    nearMisses: nearMisses.map(({ refused, remedies }) => ({ host: refused.host, why: refused.why, remedies })),
    ...rest,
    exitCode: exitCodeOfVmWhere(answer),
  };
}

function refusedDocument({ obstacles, ...refused }: VmRefused): object {
  return {
    ...refused,
    obstacles: obstacles.map(({ device, nearest }) => {
      const { outcome, codes, why } = nearest;
      return { device, ...judgedDocument(nearest), outcome, codes, why };
    }),
  };
}

function judgedDocument({ place, verdict, platform, room }: Judged): object {
  return { parent: place.parent, type: place.type, verdict, platform, room };
}
