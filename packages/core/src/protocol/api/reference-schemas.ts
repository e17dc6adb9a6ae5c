// SPDX-License-Identifier: Apache-2.0

import type { JsonSchema } from "../json-schema.ts";
import { closedObject, textUpTo } from "../json-schema.ts";
import { PROFILE_DOCUMENT } from "./answer-parts.ts";

/** How requests name what they are about. */

const NAME = textUpTo(255, "a name");

/** A device of a host. */
export const DEVICE_REFERENCE: JsonSchema = closedObject({ host: NAME, device: NAME });
/** A VM of a host, by its id. */
export const VM_REFERENCE: JsonSchema = closedObject({ host: NAME, vm: NAME });
/** A type on a parent. */
export const PLACE_REFERENCE: JsonSchema = closedObject({ host: NAME, parent: NAME, type: NAME });
/** A profile that may be of no host at all. */
export const PROFILE_REFERENCE: JsonSchema = closedObject({ profile: PROFILE_DOCUMENT });
