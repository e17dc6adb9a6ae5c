// SPDX-License-Identifier: Apache-2.0

import { parseLine } from "./attribute-text.ts";
import { parseDecimal } from "./numbers.ts";

/**
 * Reads the number of an IOMMU group off the target of a device's `iommu_group` link, such as
 * `../../../kernel/iommu_groups/12`. Throws SyntaxError or RangeError.
 */
export function parseIommuGroupLink(path: string): number {
  const target = parseLine(path, "iommu_group");
  return parseDecimal(target.slice(target.lastIndexOf("/") + 1), "iommu_group");
}
