// SPDX-License-Identifier: Apache-2.0

import type { ClaimedDevice, ClaimedIdentity, ClaimReason } from "../claim/claim.ts";
import { parseTypeId } from "../device/mdev-type.ts";
import { quoteText } from "../device/quoted-text.ts";
import { isSafeAttribute, isSafeValue } from "./attribute-path.ts";
import type { ParentFacts } from "./host-facts.ts";
import { formatMdevDefinition } from "./mdev-definition.ts";
import type { ReadBack, Step } from "./step.ts";

/** The steps of one device, or why it cannot be made. */
export type DeviceSteps =
  | { readonly kind: "steps"; readonly steps: readonly Step[] }
  | { readonly kind: "refused"; readonly reason: ClaimReason };

/** An attribute of the device that is read after it was made, and the text it must show. */
export interface Expectation {
  readonly attribute: string;
  readonly expected: string;
}

/** Attributes that take a number and show nothing (Documentation/arch/s390/vfio-ap.rst). */
const WRITE_ONLY: ReadonlySet<string> = new Set(["assign_adapter", "assign_domain", "assign_control_domain"]);

/** Where each dialect shows the count that a device was created with (section 2.1). */
const CREATED_COUNT = { aggregate: "aggregated_instances", instances: "instances" } as const;

/** Plans the making of one device: create, set values in their order, read everything back. */
export function planDevice(device: ClaimedDevice, facts: ParentFacts): DeviceSteps {
  const { identity } = device;
  if (identity.kind !== "mdev") return planFunction(device, identity);
  const bad = device.values.find(({ attribute, value }) => !isSafeAttribute(attribute) || !isSafeValue(value));
  if (bad !== undefined) {
    return refuse("attribute_unsafe", `${quoteText(bad.attribute)} is no attribute that can be written`);
  }
  if (device.count > 1 && device.countAttribute === undefined && facts.create === "plain") {
    return refuse("count_not_settable", `nothing on ${device.parent} sets the ${device.count} units of one device`);
  }
  if (facts.tool === "sysfs") return { kind: "steps", steps: planSysfs(device, identity.uuid, facts) };
  if (createdCount(device, facts) !== undefined) {
    return refuse("count_not_settable", `mdevctl passes no count to the create of ${device.parent}`);
  }
  return { kind: "steps", steps: planMdevctl(device, identity.uuid, facts) };
}

/**
 * Everything that must be read at a device that is as claimed. What only takes writes shows nothing; a vfio-ap device
 * shows its queues in `matrix`.
 */
export function expectationsOf(device: ClaimedDevice, facts: ParentFacts): readonly Expectation[] {
  const readable = device.values.filter(({ attribute }) => !WRITE_ONLY.has(attribute));
  const created = createdCount(device, facts);
  const matrix = matrixOf(device);
  return [
    ...(created === undefined || readable.some(({ attribute }) => attribute === created.attribute) ? [] : [created]),
    ...readable.map(({ attribute, value }) => ({ attribute, expected: value })),
    ...(matrix === undefined ? [] : [matrix]),
  ];
}

/** Where an attribute of an mdev device is read. */
export function devicePath(uuid: string, attribute: string): string {
  return `/sys/bus/mdev/devices/${uuid}/${attribute}`;
}

/** Where a virtual function of the vendor framework shows its type. */
export function currentTypePath(address: string): string {
  return `/sys/bus/pci/devices/${address}/nvidia/current_vgpu_type`;
}

function planSysfs(device: ClaimedDevice, uuid: string, facts: ParentFacts): readonly Step[] {
  const { parent, type, count } = device;
  const created = createdCount(device, facts);
  const aggregate = created === undefined ? {} : { aggregate: count };
  const parameter = created !== undefined && facts.create === "instances" ? { parameter: facts.create } : {};
  const create: Step = {
    effect: { kind: "create", parent, type, uuid, ...aggregate, ...parameter },
    readBack: typeLink(uuid, type),
    undo: { kind: "remove", uuid },
    text: `Create ${type}${created === undefined ? "" : ` of ${count} units`} on ${parent} as ${uuid}`,
  };
  const writes = device.values
    .filter(({ attribute }) => attribute !== created?.attribute)
    .map(({ attribute, value }) => planWrite(uuid, attribute, value));
  const written = new Set(writes.flatMap(({ readBack }) => readBack?.path ?? []));
  const checks = planChecks(uuid, expectationsOf(device, facts));
  return [create, ...writes, ...checks.filter(({ readBack }) => !written.has(readBack?.path ?? ""))];
}

function planWrite(uuid: string, attribute: string, value: string): Step {
  const text = `Set ${attribute} of ${uuid} to ${value}`;
  if (WRITE_ONLY.has(attribute)) return { effect: { kind: "write", uuid, attribute, value }, text };
  const readBack: ReadBack = { path: devicePath(uuid, attribute), expected: value };
  const isMatrix = attribute === "ap_config";
  return {
    effect: isMatrix ? { kind: "set-ap-config", uuid, config: value } : { kind: "write", uuid, attribute, value },
    readBack,
    skipWhenEqual: true,
    text,
  };
}

/** mdevctl writes the attributes itself, in order, and removes the device where one fails. They are read back all the same. */
function planMdevctl(device: ClaimedDevice, uuid: string, facts: ParentFacts): readonly Step[] {
  const { parent, type, values } = device;
  const attributes = values.map(({ attribute, value }) => ({ name: attribute, value }));
  // Not `auto`: after a boot the agent looks first, and a definition that is out of date takes no room meanwhile.
  const definition = formatMdevDefinition({ type: parseTypeId(type), start: "manual", attributes });
  return [
    {
      effect: { kind: "define", uuid, parent, definition },
      undo: { kind: "undefine", uuid, parent },
      text: `Define ${type} on ${parent} as ${uuid} with mdevctl`,
    },
    {
      effect: { kind: "start", uuid, parent },
      readBack: typeLink(uuid, type),
      undo: { kind: "stop", uuid },
      text: `Start ${uuid} with mdevctl`,
    },
    ...planChecks(uuid, expectationsOf(device, facts)),
  ];
}

function planChecks(uuid: string, expectations: readonly Expectation[]): readonly Step[] {
  return expectations.map(({ attribute, expected }) => ({
    effect: { kind: "check", uuid },
    readBack: { path: devicePath(uuid, attribute), expected },
    text: `Check that ${attribute} of ${uuid} is ${expected.replaceAll("\n", ", ")}`,
  }));
}

/** A function has no attributes of a vendor's to be set: a claim of one is refused and not forgotten. */
function planFunction(
  { type, values }: ClaimedDevice,
  { kind, address }: Exclude<ClaimedIdentity, { readonly kind: "mdev" }>,
): DeviceSteps {
  const [unset] = values;
  if (unset !== undefined)
    return refuse("value_not_settable", `${address} has no attribute ${quoteText(unset.attribute)}`);
  if (kind === "function") return { kind: "steps", steps: [] };
  const typeNumber = parseTypeNumber(type);
  if (typeNumber === undefined) return refuse("type_not_settable", `${quoteText(type)} has no number to be set`);
  const step: Step = {
    effect: { kind: "set-vgpu-type", address, typeNumber },
    readBack: { path: currentTypePath(address), expected: String(typeNumber) },
    undo: { kind: "set-vgpu-type", address, typeNumber: 0 },
    text: `Give ${address} the type ${type}`,
  };
  return { kind: "steps", steps: [step] };
}

/** The number behind `nvidia-<ID>`; 0 takes a type away, so it is none. */
function parseTypeNumber(type: string): number | undefined {
  const match = /^nvidia-([1-9]\d{0,8})$/.exec(type);
  return match === null ? undefined : Number(match[1]);
}

/** The count that `create` is given, and where it is read afterwards; undefined where `create` is given none. */
function createdCount(device: ClaimedDevice, facts: ParentFacts): Expectation | undefined {
  if (device.count === 1 || facts.create === "plain") return undefined;
  const attribute = device.countAttribute ?? facts.countAttribute ?? CREATED_COUNT[facts.create];
  return { attribute, expected: String(device.count) };
}

function matrixOf({ units, values }: ClaimedDevice): Expectation | undefined {
  const isMatrix = units !== undefined && values.some(({ rule }) => rule === "R9");
  return isMatrix ? { attribute: "matrix", expected: units.join("\n") } : undefined;
}

function typeLink(uuid: string, type: string): ReadBack {
  return { path: devicePath(uuid, "mdev_type"), expected: type, as: "link" };
}

function refuse(code: string, text: string): DeviceSteps {
  return { kind: "refused", reason: { code, text } };
}
