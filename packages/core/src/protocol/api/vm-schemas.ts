// SPDX-License-Identifier: Apache-2.0

import type { JsonSchema } from "../json-schema.ts";
import { oneOfTexts } from "../json-schema.ts";
import { answerList, answerObject, COUNT, EVIDENCE, readingOf, TEXT } from "./domain-schemas.ts";

const OWNER = answerObject({
  kind: oneOfTexts(["berth", "nova", "kubevirt", "proxmox", "ovirt", "unknown"]),
  evidence: EVIDENCE,
});

const MARK = answerObject({ how: oneOfTexts(["open-file", "argument", "definition"]), evidence: EVIDENCE });

/** What every VM has. */
export const VM_KEYS: Readonly<Record<string, JsonSchema>> = {
  id: TEXT,
  name: TEXT,
  state: oneOfTexts(["running", "defined", "unknown"]),
  owner: OWNER,
  devices: answerList(answerObject({ device: TEXT, known: { ...answerList(MARK), minItems: 1 } })),
  memoryKib: readingOf(COUNT),
  hugepageKib: readingOf(COUNT),
};
/** What only some VMs have. */
export const VM_MAYBE: Readonly<Record<string, JsonSchema>> = { uuid: TEXT, pid: COUNT };

/** A VM as its host shows it. */
export const VM: JsonSchema = answerObject(VM_KEYS, VM_MAYBE);
