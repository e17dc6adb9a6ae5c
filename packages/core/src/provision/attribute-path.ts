// SPDX-License-Identifier: Apache-2.0

/**
 * Where a claimed attribute stands below its device: at its own path, else one folder below, in a vendor's attribute
 * group, the first in order where several have it. `present` lists the files of the device, relative to its folder.
 * Undefined: the device has no such attribute, and the claim of it fails.
 */
export function findAttributePath(attribute: string, present: readonly string[]): string | undefined {
  if (present.includes(attribute)) return attribute;
  return present.filter((path) => path.slice(path.indexOf("/") + 1) === attribute && path.includes("/")).toSorted()[0];
}

/** Whether a claimed attribute is a path that stays inside its device, of a length that a kernel takes. */
export function isSafeAttribute(attribute: string): boolean {
  if (attribute.length > 4096 || !/^[!-~]+$/.test(attribute)) return false;
  return attribute.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

/** Whether a claimed value can be written as one line of printable ASCII (D29). */
export function isSafeValue(value: string): boolean {
  return value.length <= 4096 && /^[ -~]*$/.test(value);
}
