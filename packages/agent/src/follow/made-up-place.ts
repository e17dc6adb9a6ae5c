// SPDX-License-Identifier: Apache-2.0

import type { Claim, ClaimedDevice } from "@berth/core/claim/claim";
import type { DesiredState, WantedClaim, WantedProbe } from "@berth/core/provision/desired-state";
import { DESIRED_FORMAT } from "@berth/core/provision/desired-state";
import type { CommandRunner } from "../provision/command-runner.ts";
import type { HostWriter } from "../provision/host-writer.ts";
import { makeUpHost, PARENT_PATH, VGPU_PATH } from "../provision/made-up-host.ts";
import type { MadeUpHost } from "../provision/made-up-host.ts";
import type { FollowerParts } from "./open-follower.ts";
import { openFollower } from "./open-follower.ts";
import type { Followed, Follower } from "./follower.ts";

/** A host for tests of following: a parent `gpu` of `t-1`, a function of the vendor framework, processes that are seen. */
export interface MadeUpPlace extends MadeUpHost {
  /** The clock. */
  nowMs: number;
  readonly logged: string[];
  /** Claims, by id, as the control plane has them. */
  readonly claims: Map<string, WantedClaim>;
  readonly probes: WantedProbe[];
  adopted: readonly string[];
  revision: number;
  epoch: string;
  readonly state: string;
}

export const FUNCTION: string = "0000:08:00.4";
const TYPE_PATH = `${PARENT_PATH}/mdev_supported_types/t-1`;

/** Makes the host; `state` is a directory of its own. */
export function makeUpPlace(state: string, room = 4): MadeUpPlace {
  const host = makeUpHost(room, state);
  const files: Readonly<Record<string, string>> = {
    [`${TYPE_PATH}/device_api`]: "vfio-pci\n",
    [`${TYPE_PATH}/available_instances`]: "4\n",
    [`/sys/bus/pci/devices/${FUNCTION}/vendor`]: "0x10de\n",
    [`/sys/bus/pci/devices/${FUNCTION}/device`]: "0x2236\n",
    [VGPU_PATH.replace("current_vgpu_type", "creatable_vgpu_types")]: "ID    : vGPU Name\n557   : NVIDIA A10-4Q\n",
    "/proc/2/comm": "kthreadd\n",
    "/proc/2/cmdline": "",
    "/proc/2/fd/0": "",
  };
  for (const [path, text] of Object.entries(files)) host.entries.set(path, text);
  host.entries.set("/sys/class/mdev_bus/gpu", { kind: "link", target: PARENT_PATH });
  return Object.assign(host, {
    nowMs: 1000,
    logged: [],
    claims: new Map<string, WantedClaim>(),
    probes: [],
    adopted: ["gpu", FUNCTION],
    revision: 1,
    epoch: "e1",
    state,
  });
}

/** Opens the follower of a place, as a start of the agent does. */
export function openPlace(place: MadeUpPlace, parts: Partial<FollowerParts> = {}): Follower {
  const writer: HostWriter = { write: (path, text) => writeAll(place, path, text) };
  return openFollower({
    host: "b",
    look: place.hands.look,
    writer,
    runner: place.hands.runner,
    mdevctl: place.hands.mdevctl,
    tool: "sysfs",
    stateDirectory: place.state,
    useOf: place.hands.useOf,
    now: () => place.nowMs,
    log: (line) => void place.logged.push(line),
    ...parts,
  });
}

/** The desired state of a place now. */
export function desiredOf(place: MadeUpPlace): DesiredState {
  return {
    desired: DESIRED_FORMAT,
    host: "b",
    cursor: { epoch: place.epoch, revision: place.revision },
    adoptedParents: place.adopted,
    claims: [...place.claims.values()].sort((a, b) => (a.claim.id < b.claim.id ? -1 : 1)),
    probes: place.probes,
  };
}

export function uuidOf(number: number): string {
  return `00000000-0000-4000-8000-00000000000${number}`;
}

/** A claimed `t-1` on `gpu`. */
export function mdevOf(number: number, parts: Partial<ClaimedDevice> = {}): ClaimedDevice {
  const uuid = uuidOf(number);
  return {
    identity: { kind: "mdev", uuid },
    parent: "gpu",
    type: "t-1",
    count: 1,
    values: [],
    occupant: { id: uuid, type: "t-1", count: 1, parent: "gpu" },
    fingerprint: { deviceApi: "vfio-pci" },
    ...parts,
  };
}

/** A claimed type of the vendor framework. */
export function vgpuOf(parts: Partial<ClaimedDevice> = {}): ClaimedDevice {
  return {
    ...mdevOf(1),
    identity: { kind: "vendor-vfio", address: FUNCTION },
    parent: FUNCTION,
    type: "nvidia-557",
    occupant: { id: FUNCTION, type: "nvidia-557", count: 1, parent: FUNCTION },
    ...parts,
  };
}

/** Wants a claim on the place: one `t-1` to be made, but for what is said otherwise. */
export function want(
  place: MadeUpPlace,
  parts: Partial<Claim> & Pick<Partial<WantedClaim>, "repairsDrift"> = {},
): Claim {
  const { repairsDrift, ...rest } = parts;
  const before = place.claims.get(parts.id ?? "c1")?.claim;
  const claim: Claim = {
    id: "c1",
    state: "provisioning",
    claimant: { kind: "vm", host: "a", vm: "web-1" },
    host: "b",
    devices: [mdevOf(1)],
    fence: 3,
    principal: "operator",
    createdAtMs: 0,
    restsOn: [],
    packs: [],
    ...before,
    ...rest,
  };
  place.claims.set(claim.id, { claim, ...(repairsDrift === undefined ? {} : { repairsDrift }) });
  place.revision += 1;
  return claim;
}

/** A VM that has devices, running or shut off. */
export function startVm(place: MadeUpPlace, devices: readonly string[]): void {
  const given = devices.flatMap((uuid) => ["-device", `vfio-pci,sysfsdev=/sys/bus/mdev/devices/${uuid}`]);
  const args = ["/usr/bin/qemu-system-x86_64", "-name", "guest=web-1", ...given];
  place.entries.set("/proc/42/cmdline", args.map((text) => `${text}\0`).join(""));
  place.entries.set("/proc/42/fd/0", "");
}

export function stopVm(place: MadeUpPlace): void {
  place.entries.delete("/proc/42/cmdline");
  place.entries.delete("/proc/42/fd/0");
}

/** The host boots: its devices are gone, definitions stay. */
export function rebootPlace(place: MadeUpPlace): void {
  stopVm(place);
  for (const path of place.entries.keys()) {
    if (path.startsWith("/sys/bus/mdev/devices/") || path.startsWith(`${PARENT_PATH}/0`)) place.entries.delete(path);
  }
  place.entries.set(VGPU_PATH, "0\n");
}

/** Devices that stand, and the vGPU type of the function where it has one; sorted. */
export function listStanding(place: MadeUpPlace): readonly string[] {
  const paths = [...place.entries.keys()].filter((path) => path.startsWith("/sys/bus/mdev/devices/"));
  const shown = place.entries.get(VGPU_PATH);
  const type = typeof shown === "string" ? shown.trim() : "0";
  return [...paths.map((path) => path.slice("/sys/bus/mdev/devices/".length)), ...(type === "0" ? [] : [type])].sort();
}

/** Devices that were made on the place, by what was written. */
export function listMakes(place: MadeUpPlace): readonly string[] {
  return place.log.flatMap((line) => {
    const [path = "", value = ""] = line.split(" ");
    if (path.endsWith("/create")) return [value];
    return path.endsWith("/current_vgpu_type") && value !== "0" ? [value] : [];
  });
}

/** The made-up kernel takes no writes to types; their `migration_version` is answered here. */
function writeAll(place: MadeUpPlace, path: string, text: string) {
  return path.endsWith("/migration_version") ? answerVersion(place, path, text) : place.hands.writer.write(path, text);
}

function answerVersion(place: MadeUpPlace, path: string, text: string) {
  place.log.push(`${path} ${text.trim()}`);
  const errno = place.refusals.get("migration_version")?.[0];
  if (errno !== undefined) return { kind: "failed" as const, errno };
  return text.startsWith("good") ? { kind: "written" as const } : { kind: "failed" as const, errno: "EINVAL" };
}

/** What was said, a line each: events, then notices. */
export function tell({ events, notices }: Followed): readonly string[] {
  return [
    ...events.map(({ claim, event, reason }) =>
      [claim, event, reason?.code].filter((part) => part !== undefined).join(" "),
    ),
    ...notices.map(({ claim, reason }) => `${claim ?? "host"}: ${reason.code}`),
  ];
}

/** Follows what is wanted of a place, by a fresh agent unless one is given. */
export async function follow(at: MadeUpPlace, follower: Follower = openPlace(at)): Promise<readonly string[]> {
  return tell(await follower.follow(desiredOf(at)));
}

/** An mdevctl that is slow until it is released. */
export function slowDown(
  at: MadeUpPlace,
): CommandRunner & { readonly begun: Promise<void>; readonly release: () => void } {
  let release = (): void => undefined;
  let begin = (): void => undefined;
  const open = new Promise<void>((resolve) => {
    release = resolve;
  });
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const run: typeof at.hands.runner.run = async (command) => {
    begin();
    await open;
    return at.hands.runner.run(command);
  };
  return { run, begun, release: () => release() };
}
