// SPDX-License-Identifier: Apache-2.0

import { parsePciAddress, parseSubchannelId, parseUuid } from "../device/address.ts";
import { parseDeviceApi } from "../device/device-api.ts";
import { parseTypeId } from "../device/mdev-type.ts";
import { formatSoftwareVersion, parseSoftwareVersion } from "../device/software-version.ts";
import { parseAggregationCount } from "./aggregation.ts";
import * as ap from "./ap-matrix.ts";
import { parseAttributeText, parseLine, parseListText } from "./attribute-text.ts";
import { formatAvailableInstances, parseAvailableInstances } from "./available-instances.ts";
import { parseBuildIdNote } from "./build-id.ts";
import { formatCreateRequest, parseCreateRequest } from "./create-request.ts";
import type { CreateDialect } from "./create-request.ts";
import { parseMebibytes } from "../device/description.ts";
import { parseIommuGroupLink } from "./iommu.ts";
import { parseKernelRelease, parseOsRelease } from "./kernel.ts";
import { formatList, parseIdList, parseList } from "./list.ts";
import { formatMigrationVersion, parseMigrationVersion } from "./migration-version.ts";
import { formatKernelUint, parseDecimal, parseHexId, parseKernelUint, parseNumaNode } from "./numbers.ts";
import * as subchannel from "./subchannel.ts";
import { parseUevent } from "./uevent.ts";
import { parseMigrationFeatures, parseMigrationState } from "./vfio-debugfs.ts";
import {
  formatCreatableVgpuTypes,
  parseCreatableVgpuTypes,
  parseCurrentVgpuType,
  parseOptionalNumber,
} from "./vgpu-types.ts";

/** One codec, its value's type forgotten, for checks that go over all of them. */
export interface Codec {
  /** The exported function that `parse` calls. */
  readonly of: (...parameters: never[]) => unknown;
  /** Reads a text; throws SyntaxError or RangeError. */
  readonly parse: (raw: string) => unknown;
  /** Reads a text and writes its value again. Absent where nothing is ever written. */
  readonly rewrite?: (raw: string) => string;
}

/** Every codec of attribute text, by the name of its vector files, sorted. */
export const CODECS: ReadonlyMap<string, Codec> = new Map([
  ["aggregation_count", codec(parseAggregationCount)],
  ["ap_config", codec(ap.parseApConfig, ap.formatApConfig)],
  ["ap_mask", codec(ap.parseApMask, ap.formatApMask)],
  ["ap_matrix", codec(ap.parseApMatrix, ap.formatApMatrix)],
  ["apqn", codec(ap.parseApqn, ap.formatApqn)],
  ["attribute_text", codec(parseAttributeText)],
  ["available_instances", codec(parseAvailableInstances, formatAvailableInstances)],
  ["build_id", { of: parseBuildIdNote, parse: (raw) => parseBuildIdNote(bytesOf(raw)) }],
  ["chpid_type", codec(subchannel.parseChpidType)],
  ["chpids", codec((raw) => subchannel.parseChpids(raw), subchannel.formatChpids, subchannel.parseChpids)],
  ["control_domains", codec(ap.parseControlDomains, ap.formatControlDomains)],
  ["creatable_vgpu_types", codec(parseCreatableVgpuTypes, formatCreatableVgpuTypes)],
  ["create_aggregate", createCodec("aggregate")],
  ["create_instances", createCodec("instances")],
  ["create_plain", createCodec("plain")],
  ["current_vgpu_type", codec(parseCurrentVgpuType)],
  ["decimal", named(parseDecimal)],
  ["device_api", codec(parseDeviceApi)],
  ["feature_words", codec(ap.parseFeatureWords)],
  ["id_list", codec(parseIdList, formatList)],
  ["iommu_group_link", codec(parseIommuGroupLink)],
  ["kernel_release", codec(parseKernelRelease)],
  ["kernel_uint", codec((raw) => parseKernelUint(raw, "number"), formatKernelUint, parseKernelUint)],
  ["line", named(parseLine)],
  ["list", codec(parseList, formatList)],
  ["list_text", named(parseListText)],
  ["mebibytes", codec(parseMebibytes)],
  ["migration_features", codec(parseMigrationFeatures)],
  ["migration_state", codec(parseMigrationState)],
  ["migration_version", codec(parseMigrationVersion, formatMigrationVersion)],
  ["numa_node", codec(parseNumaNode)],
  ["optional_number", codec(parseOptionalNumber)],
  ["os_release", codec(parseOsRelease)],
  ["pci_address", codec(parsePciAddress)],
  ["pci_id", { of: parseHexId, parse: (raw) => parseHexId(raw, 4, "PCI id") }],
  ["pimpampom", codec(subchannel.parsePimPamPom, subchannel.formatPimPamPom)],
  ["software_version", codec(parseSoftwareVersion, formatSoftwareVersion)],
  ["subchannel_id", codec(parseSubchannelId)],
  ["subchannel_type", codec(subchannel.parseSubchannelType)],
  ["type_id", codec(parseTypeId)],
  ["uevent", codec(parseUevent)],
  ["uuid", codec(parseUuid)],
]);

function codec<T>(parse: (raw: string) => T, format?: (value: T) => string, of: Codec["of"] = parse): Codec {
  return format === undefined ? { of, parse } : { of, parse, rewrite: (raw) => format(parse(raw)) };
}

function named(parse: (raw: string, name: string) => unknown): Codec {
  return { of: parse, parse: (raw) => parse(raw, "text") };
}

function createCodec(dialect: CreateDialect): Codec {
  return codec(
    (raw) => parseCreateRequest(raw, { dialect }),
    (request) => formatCreateRequest(request, dialect),
    parseCreateRequest,
  );
}

/** A byte for every code unit; bytes stand in vector files as escapes. */
function bytesOf(raw: string): Uint8Array {
  return Uint8Array.from(raw, (unit) => unit.charCodeAt(0));
}
