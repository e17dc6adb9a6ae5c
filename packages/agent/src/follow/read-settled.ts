// SPDX-License-Identifier: Apache-2.0

import { valueOf } from "@berth/core/device/evidence";
import type { Reading } from "@berth/core/device/evidence";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import type { Problem } from "@berth/core/device/problem";
import { MDEV_DEVICES, PCI_DEVICES } from "@berth/core/sysfs/paths";
import { readHost } from "../discovery/read-host.ts";
import type { SysfsTree } from "../host/sysfs-tree.ts";

/** What fact scripts say of a host, and what was wrong with them. */
export interface FoundFacts {
  readonly facts: Readonly<Record<string, Reading<string>>>;
  readonly problems: readonly Problem[];
}

/** How often a host is read that changes while it is read. */
const MAX_READS = 4;
const TEXT_MAX = 4096;

/**
 * Reads a host until the devices after the reading are those before it: what pools said in between then belongs to
 * these devices. Strangers make devices whenever they like; a host that never holds still is told of as a problem.
 */
export function readSettledHost(look: () => SysfsTree, host: string): HostSnapshot {
  for (let reads = 1; ; reads++) {
    const tree = look();
    const snapshot = readHost(tree, host);
    const change = findChange(snapshot, look());
    if (change === undefined) return snapshot;
    if (reads === MAX_READS) {
      const message = `${change} while the host was read, ${MAX_READS} times: its pools may not fit its devices`;
      return addProblems(snapshot, [{ code: "changed_while_read", host, path: "/sys", message }]);
    }
  }
}

/** Adds what fact scripts say. What the host's own files say stays. */
export function addFacts(snapshot: HostSnapshot, { facts, problems }: FoundFacts): HostSnapshot {
  return addProblems({ ...snapshot, facts: { ...facts, ...snapshot.facts } }, problems);
}

function addProblems(snapshot: HostSnapshot, problems: readonly Problem[]): HostSnapshot {
  if (problems.length === 0) return snapshot;
  const all = [...snapshot.problems, ...problems];
  const order = ({ path, code }: Problem): string => `${path}\0${code}`;
  return { ...snapshot, problems: all.sort((a, b) => (order(a) < order(b) ? -1 : 1)) };
}

/** What became of the devices since they were read; undefined: they are the same. */
function findChange(snapshot: HostSnapshot, tree: SysfsTree): string | undefined {
  const listing = tree.list(MDEV_DEVICES);
  const now = new Set((listing.kind === "names" ? listing.names : []).map((name) => name.toLowerCase()));
  const mdevs = snapshot.devices.filter(({ kind }) => kind === "mdev").map(({ id }) => id);
  const gone = mdevs.find((id) => !now.has(id) && isOnBus(snapshot, id));
  if (gone !== undefined) return `${gone} was removed`;
  const known = new Set<string>(mdevs);
  const added = [...now].find((id) => !known.has(id) && !isTold(snapshot, id));
  if (added !== undefined) return `${added} was made`;
  return findChangedType(snapshot, tree);
}

/** A device that the mdev bus did not list, and only a parent's folder did, is not missed there afterwards. */
function isOnBus({ problems }: HostSnapshot, id: string): boolean {
  return !problems.some(({ path, code }) => code === "facts_disagree" && path.includes(id));
}

/** A name that is no device's was told of as a problem. */
function isTold({ problems }: HostSnapshot, name: string): boolean {
  return problems.some(({ path }) => path.toLowerCase() === `${MDEV_DEVICES}/${name}`);
}

function findChangedType({ parents }: HostSnapshot, tree: SysfsTree): string | undefined {
  for (const { id, framework, currentType } of parents) {
    if (framework !== "vendor-vfio" || currentType.kind === "unreadable") continue;
    const read = tree.read(`${PCI_DEVICES}/${id}/nvidia/current_vgpu_type`, TEXT_MAX);
    if (read.kind !== "text") continue;
    const number = read.text.trim();
    const was = valueOf(currentType)?.slice("nvidia-".length) ?? "0";
    if (/^\d+$/.test(number) && Number(number) !== Number(was)) return `the type of ${id} was changed`;
  }
  return undefined;
}
