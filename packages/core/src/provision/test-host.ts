// SPDX-License-Identifier: Apache-2.0

import type { ClaimedDevice } from "../claim/claim.ts";
import { findAttributePath } from "./attribute-path.ts";
import type { FoundClaim, FoundDevice, HostFacts } from "./host-facts.ts";
import type { Effect, Step } from "./step.ts";
import { isReadBack } from "./step.ts";

/** A device that a model host has. */
export interface ModelDevice {
  readonly parent: string;
  readonly type: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly users: readonly string[];
}

/** Everything about a model host that steps can change: a value, so that two can be compared. */
export interface ModelHost {
  /** By UUID, and functions that have a type by address. */
  readonly devices: ReadonlyMap<string, ModelDevice>;
  /** Definitions by `PARENT/UUID`. */
  readonly definitions: ReadonlyMap<string, string>;
}

/** What a new device has: attributes that can be written, and those that only take writes. */
const FRESH: readonly (readonly [string, string])[] = [
  ["vendor/aggregator", "1"],
  ["fps", "60"],
  ["ap_config", "none"],
  ["matrix", ""],
];

export const EMPTY_HOST: ModelHost = { devices: new Map(), definitions: new Map() };

/** Executes one effect as a kernel and mdevctl would. Throws an Error named by errno, and then nothing has changed. */
export function applyModel(host: ModelHost, effect: Effect): ModelHost {
  const devices = new Map(host.devices);
  const definitions = new Map(host.definitions);
  switch (effect.kind) {
    case "create":
      devices.set(effect.uuid, create(host, effect));
      break;
    case "remove":
    case "stop":
      remove(devices, effect.uuid);
      break;
    case "check":
      break;
    case "write":
      write(devices, effect.uuid, [effect.attribute, effect.value]);
      break;
    case "set-ap-config":
      write(devices, effect.uuid, ["ap_config", effect.config]);
      break;
    case "set-vgpu-type":
      setType(devices, effect.address, effect.typeNumber);
      break;
    case "define":
      if (definitions.has(`${effect.parent}/${effect.uuid}`)) throw new Error("mdevctl: exists");
      definitions.set(`${effect.parent}/${effect.uuid}`, effect.definition);
      break;
    case "undefine":
      if (!definitions.delete(`${effect.parent}/${effect.uuid}`)) throw new Error("mdevctl: not defined");
      break;
    case "start":
      return startDefined(host, effect);
  }
  return { devices, definitions };
}

function create(host: ModelHost, { uuid, parent, type, aggregate }: Extract<Effect, { kind: "create" }>): ModelDevice {
  if (host.devices.has(uuid)) throw new Error("EEXIST");
  const counted = aggregate === undefined ? [] : ([["aggregated_instances", String(aggregate)]] as const);
  return { parent, type, attributes: new Map([...FRESH, ...counted]), users: [] };
}

function remove(devices: Map<string, ModelDevice>, uuid: string): void {
  const device = devices.get(uuid);
  if (device === undefined) throw new Error("ENOENT");
  if (device.users.length > 0) throw new Error(`${uuid} was in use and taken away`);
  devices.delete(uuid);
}

function write(devices: Map<string, ModelDevice>, uuid: string, [name, value]: readonly [string, string]): void {
  const device = devices.get(uuid);
  if (device === undefined) throw new Error("ENOENT");
  if (device.users.length > 0) throw new Error(`${uuid} was in use and written to`);
  if (name.startsWith("assign_")) {
    const matrix = name === "assign_domain" ? "01.0005" : (device.attributes.get("matrix") ?? "");
    devices.set(uuid, { ...device, attributes: new Map([...device.attributes, ["matrix", matrix]]) });
    return;
  }
  const path = findAttributePath(name, [...device.attributes.keys()]);
  if (path === undefined) throw new Error("ENOENT");
  devices.set(uuid, { ...device, attributes: new Map([...device.attributes, [path, value]]) });
}

function setType(devices: Map<string, ModelDevice>, address: string, typeNumber: number): void {
  const device = devices.get(address);
  if (device !== undefined && device.users.length > 0) throw new Error(`${address} was in use and set`);
  if (typeNumber === 0) devices.delete(address);
  else if (device !== undefined) throw new Error("EBUSY");
  else devices.set(address, { parent: address, type: `nvidia-${typeNumber}`, attributes: new Map(), users: [] });
}

/** mdevctl: create, write the attributes in order, and remove the device where one fails. */
function startDefined(host: ModelHost, { uuid, parent }: Extract<Effect, { kind: "start" }>): ModelHost {
  const text = host.definitions.get(`${parent}/${uuid}`);
  if (text === undefined) throw new Error("mdevctl: not defined");
  const { mdev_type: type, attrs } = JSON.parse(text) as { mdev_type: string; attrs: Record<string, string>[] };
  const made = applyModel(host, { kind: "create", uuid, parent, type });
  return attrs
    .flatMap(Object.entries)
    .reduce((next, [attribute, value]) => applyModel(next, { kind: "write", uuid, attribute, value }), made);
}

/** Reads what a step wants read; undefined where nothing is there. */
export function readModel(host: ModelHost, path: string): string | undefined {
  const typed = /^\/sys\/bus\/pci\/devices\/([^/]+)\/nvidia\/current_vgpu_type$/.exec(path);
  if (typed !== null) return (host.devices.get(typed[1] ?? "")?.type ?? "nvidia-0").slice("nvidia-".length);
  const [, uuid = "", attribute = ""] = /^\/sys\/bus\/mdev\/devices\/([^/]+)\/(.+)$/.exec(path) ?? [];
  const device = host.devices.get(uuid);
  if (attribute === "mdev_type") return device?.type;
  const found = findAttributePath(attribute, [...(device?.attributes.keys() ?? [])]);
  return found === undefined ? undefined : device?.attributes.get(found);
}

/** Does one step as the edge does: skip, execute, read back. Throws where the effect or its read-back fails. */
export function executeModel(host: ModelHost, { effect, readBack, skipWhenEqual }: Step): ModelHost {
  const holds = (now: ModelHost): boolean => {
    const text = readBack === undefined ? "" : readModel(now, readBack.path);
    return readBack === undefined || (text !== undefined && isReadBack(readBack, text));
  };
  if (skipWhenEqual === true && holds(host)) return host;
  const next = applyModel(host, effect);
  if (!holds(next)) throw new Error(`read-back of ${readBack?.path}`);
  return next;
}

/** What an agent finds of some devices on a model host; `made` are the ids in its durable record. */
export function findModel(
  host: ModelHost,
  devices: readonly ClaimedDevice[],
  known: { readonly facts: HostFacts; readonly made: ReadonlySet<string> },
): FoundClaim {
  const found = devices.map(({ occupant: { id }, parent }): readonly [string, FoundDevice] => {
    const device = host.devices.get(id);
    const isDefined = host.definitions.has(`${parent}/${id}`);
    if (device === undefined) return [id, { kind: "nothing", isDefined }];
    const shown = new Map([...device.attributes].map(([path, text]) => [path.slice(path.indexOf("/") + 1), text]));
    const maker = known.made.has(id) ? "claim" : "unknown";
    return [
      id,
      { kind: "device", parent: device.parent, type: device.type, maker, users: device.users, shown, isDefined },
    ];
  });
  return { facts: known.facts, devices: new Map(found) };
}
