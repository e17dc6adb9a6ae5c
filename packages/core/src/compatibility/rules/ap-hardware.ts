// SPDX-License-Identifier: Apache-2.0

import { groupBy } from "../../device/group-by.ts";
import type { ApQueue, Apqn } from "../../device/ap-matrix.ts";
import type { Reading } from "../../device/evidence.ts";
import { combineFindings } from "../combine-findings.ts";
import type { Pair } from "../pair.ts";
import { describeGaps, nothingAt, sideOf, sidesOf } from "../side.ts";
import { findings, NO_FINDINGS, type Findings } from "../verdict.ts";
import { formatApqn, formatApqns, indexQueues } from "./apqn.ts";

type Queues = Extract<Reading<readonly Apqn[]>, { readonly kind: "known" }>;

/** Queues on like cards, as both hosts have them: what is said of a card is said once. */
interface Match {
  /** `queue 01.0005`, or `queues 01.0005, 01.0006`. */
  readonly name: string;
  readonly source: ApQueue;
  readonly destination: ApQueue;
}

/**
 * The first eight facility bits have to be equal: APSC, 4096-bit keys, the mode, APXA, command filtering. Bit 8 says
 * "full native function"; with it clear the queue takes stateless requests only (drivers/s390/crypto).
 */
const FACILITIES = 0xff000000;
const CLASSIFICATION = 0x00ff0000;
const NATIVE = 0x00800000;

/**
 * Whether the destination's cards are as able as the source's: generation no older, the same mode, equal facility bits, a
 * classification that is no narrower (section 7.1). Queues that the destination does not have are reported elsewhere.
 */
export function checkApHardware({ source, destination }: Pair, queues: Queues): Findings {
  const [here, there] = [source.apBus, destination.apBus].map((bus) => bus && indexQueues(bus));
  const groups = groupBy(queues.value, (apqn) =>
    JSON.stringify([here, there].map((bus) => cardOf(bus?.get(formatApqn(apqn))))),
  );
  const parts = [...groups.values()].map((group) => {
    const [key, name] = [group.map(formatApqn)[0] ?? "", nameOf(group)];
    const [found, other] = [here?.get(key), there?.get(key)];
    if (found === undefined) {
      const text = `what card ${name} of the source ${group.length === 1 ? "is" : "are"} on is not known`;
      const ends = { source: sideOf(nothingAt(source, `AP ${name}`)) };
      return findings({ missing: [{ rule: "R9", code: "ap_hardware_unknown", text, ...ends }] });
    }
    return other === undefined ? NO_FINDINGS : checkQueue({ name, source: found, destination: other });
  });
  const empty = queues.value.length > 0 ? NO_FINDINGS : noteEmpty(formatApqns(queues.value));
  return combineFindings([...parts, empty]);
}

function nameOf(group: readonly Apqn[]): string {
  return `${group.length === 1 ? "queue" : "queues"} ${formatApqns(group)}`;
}

/** All that a queue says of its card, evidence apart. */
function cardOf(queue: ApQueue | undefined): unknown {
  if (queue === undefined) return null;
  return [queue.hardwareType, queue.cardType, queue.functions].map((reading) => [
    reading.kind,
    reading.kind === "known" ? String(reading.value) : reading.kind === "unreadable" ? reading.why : "",
  ]);
}

function noteEmpty(names: string): Findings {
  const text = `the source's guest sees no AP queue${names}`;
  return findings({ notes: [{ rule: "R9", code: "ap_matrix_empty", text }] });
}

function checkQueue(match: Match): Findings {
  return combineFindings([checkGeneration(match), checkMode(match), checkFacilities(match)]);
}

function checkGeneration({ name, source, destination }: Match): Findings {
  const [left, right] = [source.hardwareType, destination.hardwareType];
  const sides = sidesOf(left, right);
  if (left.kind !== "known" || right.kind !== "known") {
    const text = describeGaps(`the card generation of ${name}`, left, right);
    return findings({ missing: [{ rule: "R9", code: "ap_hardware_unknown", text, ...sides }] });
  }
  if (left.value <= right.value) return NO_FINDINGS;
  const text = `the card of ${name} is older at the destination: type ${right.value}, and ${left.value} at the source`;
  return findings({ reasons: [{ rule: "R9", code: "ap_card_type", text, ...sides }] });
}

/** The last letter of `CEX8C` is the mode: A accelerator, C CCA coprocessor, P EP11 coprocessor. */
function checkMode({ name, source, destination }: Match): Findings {
  const sides = sidesOf(source.cardType, destination.cardType);
  const [left, right] = [modeOf(source.cardType), modeOf(destination.cardType)];
  if (left === undefined || right === undefined) {
    const text = `the mode of the card of ${name} is not known at both ends`;
    return findings({ missing: [{ rule: "R9", code: "ap_hardware_unknown", text, ...sides }] });
  }
  if (left === right) return NO_FINDINGS;
  const text = `the card of ${name} works in mode ${left} at the source and in mode ${right} at the destination`;
  return findings({ reasons: [{ rule: "R9", code: "ap_card_mode", text, ...sides }] });
}

function modeOf(cardType: Reading<string>): string | undefined {
  return cardType.kind === "known" ? /^CEX\d{1,2}([ACP])$/.exec(cardType.value)?.[1] : undefined;
}

function checkFacilities({ name, source, destination }: Match): Findings {
  const sides = sidesOf(source.functions, destination.functions);
  const [left, right] = [bitsOf(source.functions), bitsOf(destination.functions)];
  if (left === undefined || right === undefined) {
    const text = `the facility bits of ${name} are not known at both ends`;
    return findings({ missing: [{ rule: "R9", code: "ap_hardware_unknown", text, ...sides }] });
  }
  const parts: Findings[] = [];
  if (((left ^ right) & FACILITIES) !== 0) {
    const text = `the facility bits of ${name} differ`;
    parts.push(findings({ reasons: [{ rule: "R9", code: "ap_facilities", text, ...sides }] }));
  }
  const classes = [left & CLASSIFICATION, right & CLASSIFICATION];
  if (classes[0] === classes[1] || (right & NATIVE) !== 0) return combineFindings(parts);
  if (classes.includes(0)) {
    const text = `the classification of ${name} is shown at one end only, and the destination is not known to be native`;
    parts.push(findings({ missing: [{ rule: "R9", code: "ap_hardware_unknown", text, ...sides }] }));
  } else {
    const text = `the functions of ${name} differ, and those of the destination are not the full native ones`;
    parts.push(findings({ reasons: [{ rule: "R9", code: "ap_classification", text, ...sides }] }));
  }
  return combineFindings(parts);
}

/** `ap_functions` is a 32-bit word in hexadecimal; its leftmost bit is number 0. */
function bitsOf(functions: Reading<string>): number | undefined {
  const match = functions.kind === "known" ? /^0x([0-9a-f]{8})$/i.exec(functions.value.trim()) : null;
  return match === null ? undefined : Number.parseInt(match[1] ?? "", 16);
}
