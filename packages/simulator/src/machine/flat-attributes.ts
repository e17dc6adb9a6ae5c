// SPDX-License-Identifier: Apache-2.0

import { fixedAttribute } from "../tree/node.ts";
import type { NamedAttribute } from "./mdev-driver.ts";

/** The flat attributes of a type, as proposed on 9 September 2020. What is left out has no file. */
export interface FlatAttributes {
  /** Written as it is: `1.5.0`, or anything else that a careless driver might print. */
  readonly softwareVersion?: string;
  readonly compatibleTypes?: readonly string[];
  /** Values by field: `pci_ids` makes `compatible_pci_ids`. */
  readonly compatible?: Readonly<Record<string, readonly string[]>>;
  /** Names of attributes of the device that have to be set when one is claimed. */
  readonly dynamicResources?: readonly string[];
}

/** The files of a type that a driver with these attributes adds. Lists are printed as the proposal's sample: `a, b`. */
export function listFlatAttributes(flat: FlatAttributes | undefined): readonly NamedAttribute[] {
  if (flat === undefined) return [];
  const lines: [string, string][] = [];
  if (flat.softwareVersion !== undefined) lines.push(["software_version", flat.softwareVersion]);
  if (flat.compatibleTypes !== undefined) lines.push(["compatible_type", flat.compatibleTypes.join(", ")]);
  for (const [field, values] of Object.entries(flat.compatible ?? {}))
    lines.push([`compatible_${field}`, values.join(", ")]);
  if (flat.dynamicResources !== undefined) lines.push(["dynamic_resources", flat.dynamicResources.join(", ")]);
  return lines.map(([name, line]) => ({ name, attribute: fixedAttribute(line) }));
}
