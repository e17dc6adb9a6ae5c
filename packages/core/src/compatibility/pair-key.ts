// SPDX-License-Identifier: Apache-2.0

import type { MigrationProfile } from "../device/migration-profile.ts";
import type { Pair } from "./pair.ts";
import { buildIdOf, formatPciIds, isBlank, isOffPci } from "./same-build.ts";

/**
 * Names the pair of classes that an outcome is remembered for (R8; R4 c), as canonical JSON.
 *
 * Where both ends show a `migration_version`, the key is that of R8: the answering driver's build, its kernel, the type,
 * the parent's PCI ids, the destination's string and the source's. Where neither shows one, the source's own build,
 * kernel, type and PCI ids, and the firmware of both, stand for the strings. Undefined where any part is unknown:
 * nothing is remembered about a class that cannot be named.
 */
export function pairKey({ source, destination }: Pair): string | undefined {
  const [sent, answering] = [source.attributes.migrationVersion, destination.attributes.migrationVersion];
  const place = classOf(destination);
  if (place === undefined) return undefined;
  if (sent.kind === "known" && answering.kind === "known") {
    return JSON.stringify(["migration_version", place, answering.value, sent.value]);
  }
  if (sent.kind !== "absent" || answering.kind !== "absent") return undefined;
  const [origin, firmware] = [classOf(source), [firmwareOf(destination), firmwareOf(source)]];
  if (origin === undefined || firmware.includes(undefined)) return undefined;
  return JSON.stringify(["builds", place, origin, firmware]);
}

/** Driver build, kernel, type and PCI ids of one end; undefined where one of them is unknown. */
function classOf(profile: MigrationProfile): readonly (string | null)[] | undefined {
  const { module, kernel, type, pciIds } = profile;
  const build = buildIdOf(profile);
  if (module.kind !== "known" || build.kind !== "known") return undefined;
  if (kernel.version.kind !== "known" || type.kind !== "known") return undefined;
  if (isBlank(module.value.name) || isBlank(kernel.version.value)) return undefined;
  if (pciIds.kind !== "known" && !isOffPci(profile)) return undefined;
  const ids = pciIds.kind === "known" ? formatPciIds(pciIds.value) : null;
  return [module.value.name, build.value, kernel.version.value, type.value, ids];
}

function firmwareOf({ firmware }: MigrationProfile): string | null | undefined {
  if (firmware.kind === "unreadable") return undefined;
  return firmware.kind === "known" ? firmware.value : null;
}
