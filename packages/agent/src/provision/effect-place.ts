// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "@berth/core/device/quoted-text";
import { isSafeAttribute, isSafeValue } from "@berth/core/provision/attribute-path";
import type { Effect, Step } from "@berth/core/provision/step";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const PCI_ADDRESS = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/;
/** One name in a path: no slash, no control character, neither `.` nor `..`. */
const NAME = /^(?!\.{1,2}$)[^/\u0000-\u001f\u007f]{1,255}$/;
const DEFINITION_MAX = 64 * 1024;

/** The attribute an effect writes, the definition it makes or takes away, or the device that mdevctl starts or stops. */
export function placeOf(effect: Effect): string {
  switch (effect.kind) {
    case "create":
      return `/sys/class/mdev_bus/${effect.parent}/mdev_supported_types/${effect.type}/create`;
    case "remove":
      return `${deviceFolder(effect.uuid)}/remove`;
    case "write":
      return `${deviceFolder(effect.uuid)}/${effect.attribute}`;
    case "set-vgpu-type":
      return `/sys/bus/pci/devices/${effect.address}/nvidia/current_vgpu_type`;
    case "set-ap-config":
      return `${deviceFolder(effect.uuid)}/ap_config`;
    case "define":
    case "undefine":
      return `/etc/mdevctl.d/${effect.parent}/${effect.uuid}`;
    case "check":
    case "start":
    case "stop":
      return deviceFolder(effect.uuid);
  }
}

/** Where a device is found, whatever its parent is. */
export function deviceFolder(uuid: string): string {
  return `/sys/bus/mdev/devices/${uuid}`;
}

/** UUID of the device an effect is about, or the address of the function. */
export function identityOf(effect: Effect): string {
  return effect.kind === "set-vgpu-type" ? effect.address : effect.uuid;
}

/**
 * Checks names and values of all steps before the first is executed: what they say becomes paths and arguments of a
 * program that runs as root. Throws RangeError naming the step.
 */
export function checkSteps(steps: readonly Step[]): void {
  for (const [index, { effect, undo, readBack }] of steps.entries()) {
    const wrong =
      findWrong(effect) ?? (undo === undefined ? undefined : findWrong(undo)) ?? findWrongPath(readBack?.path);
    if (wrong !== undefined) throw new RangeError(`Cannot execute step ${index + 1}: ${wrong}`);
  }
}

function findWrongPath(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const [root, top, ...rest] = path.split("/");
  const isFine = root === "" && top === "sys" && rest.length > 0 && rest.every((name) => NAME.test(name));
  return isFine ? undefined : expected("a path to read in /sys", path);
}

function findWrong(effect: Effect): string | undefined {
  if (effect.kind === "set-vgpu-type") {
    if (!PCI_ADDRESS.test(effect.address)) return expected("a PCI address", effect.address);
    const isNumber = Number.isSafeInteger(effect.typeNumber) && effect.typeNumber >= 0;
    return isNumber ? undefined : expected("the number of a vGPU type", String(effect.typeNumber));
  }
  if (!UUID.test(effect.uuid)) return expected("a UUID in lower case", effect.uuid);
  if ("parent" in effect && !NAME.test(effect.parent)) return expected("the name of a parent", effect.parent);
  switch (effect.kind) {
    case "create":
      if (!NAME.test(effect.type)) return expected("the name of a type", effect.type);
      if (effect.aggregate === undefined) return undefined;
      if (Number.isSafeInteger(effect.aggregate) && effect.aggregate >= 1) return undefined;
      return expected("a count of units", String(effect.aggregate));
    case "write":
      return findWrongWrite(effect);
    case "set-ap-config":
      return isSafeValue(effect.config) ? undefined : expected("one line of ASCII", effect.config);
    case "define":
      return findWrongDefinition(effect.definition);
    default:
      return undefined;
  }
}

/** `remove` is an effect of its own, with checks of its own. */
function findWrongWrite({ attribute, value }: Effect & { readonly kind: "write" }): string | undefined {
  if (attribute === "remove" || !isSafeAttribute(attribute)) return expected("an attribute of the device", attribute);
  return isSafeValue(value) ? undefined : expected("one line of ASCII", value);
}

function findWrongDefinition(definition: string): string | undefined {
  if (definition.length > DEFINITION_MAX) return `the definition is longer than ${DEFINITION_MAX} characters`;
  try {
    const value: unknown = JSON.parse(definition);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return undefined;
  } catch {
    // Said below.
  }
  return expected("a definition as a JSON object", definition);
}

function expected(what: string, text: string): string {
  return `expected ${what}, got ${quoteText(text)}`;
}
