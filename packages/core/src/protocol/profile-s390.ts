// SPDX-License-Identifier: Apache-2.0

import { parseSubchannelId } from "../device/address.ts";
import type { ApBus, ApConfig, ApMatrix, ApQueue, Apqn } from "../device/ap-matrix.ts";
import type { Subchannel } from "../device/parent-device.ts";
import type { ProfilePart } from "./profile-readings.ts";
import { compactObject, formatReading, readKey, readPart, readTextKey, valueAt } from "./profile-readings.ts";

/** Reads the `ap` object of a profile file. */
export function readApMatrix(part: ProfilePart): ApMatrix {
  return {
    matrix: readKey(part, "matrix", parseApqns),
    guestMatrix: readKey(part, "guestMatrix", parseApqns),
    controlDomains: readKey(part, "controlDomains", (domains: readonly number[]) => domains),
    apConfig: readKey(part, "apConfig", (config: ApConfig) => config),
  };
}

/** Writes an AP matrix as readApMatrix reads it. */
export function formatApMatrix(ap: ApMatrix): unknown {
  return compactObject({
    matrix: formatReading(ap.matrix, formatApqns),
    guestMatrix: formatReading(ap.guestMatrix, formatApqns),
    controlDomains: formatReading(ap.controlDomains),
    apConfig: formatReading(ap.apConfig),
  });
}

/** Reads the `apBus` object of a profile file. */
export function readApBus(part: ProfilePart): ApBus {
  const numbers = (list: readonly number[]): readonly number[] => list;
  return {
    queues: readQueues(readPart(part, "queues"), valueAt(part, "queues")),
    controlDomains: readKey(part, "controlDomains", numbers),
    maxAdapterId: readKey(part, "maxAdapterId", (id: number) => id),
    maxDomainId: readKey(part, "maxDomainId", (id: number) => id),
    hostAdapters: readKey(part, "hostAdapters", numbers),
    hostDomains: readKey(part, "hostDomains", numbers),
    features: readKey(part, "features", (words: readonly string[]) => words),
  };
}

/** Writes an AP bus as readApBus reads it. */
export function formatApBus(bus: ApBus): unknown {
  return compactObject({
    queues: bus.queues.map((queue) =>
      compactObject({
        apqn: formatApqn(queue.apqn),
        driver: formatReading(queue.driver),
        hardwareType: formatReading(queue.hardwareType),
        cardType: formatReading(queue.cardType),
        functions: formatReading(queue.functions),
      }),
    ),
    controlDomains: formatReading(bus.controlDomains),
    maxAdapterId: formatReading(bus.maxAdapterId),
    maxDomainId: formatReading(bus.maxDomainId),
    hostAdapters: formatReading(bus.hostAdapters),
    hostDomains: formatReading(bus.hostDomains),
    features: formatReading(bus.features),
  });
}

/** Reads the `subchannel` object of a profile file. */
export function readSubchannel(part: ProfilePart): Subchannel {
  return {
    id: parseSubchannelId(String(valueAt(part, "id"))),
    type: readKey(part, "type", (type: number) => type),
    chpids: readKey(part, "chpids", (ids: readonly string[]) => ids),
    chpidTypes: readKey(part, "chpidTypes", (types: readonly string[]) => types),
  };
}

/** Writes a subchannel as readSubchannel reads it. */
export function formatSubchannel(subchannel: Subchannel): unknown {
  return compactObject({
    id: subchannel.id,
    type: formatReading(subchannel.type),
    chpids: formatReading(subchannel.chpids),
    chpidTypes: formatReading(subchannel.chpidTypes),
  });
}

function readQueues(list: ProfilePart, queues: unknown): readonly ApQueue[] {
  return (queues as readonly { readonly apqn: string }[]).map(({ apqn }, index) => {
    const part = readPart(list, String(index));
    return {
      apqn: parseApqn(apqn),
      driver: readTextKey(part, "driver"),
      hardwareType: readKey(part, "hardwareType", (type: number) => type),
      cardType: readTextKey(part, "cardType"),
      functions: readTextKey(part, "functions"),
    };
  });
}

function parseApqns(texts: readonly string[]): readonly Apqn[] {
  return texts.map(parseApqn);
}

function formatApqns(apqns: readonly Apqn[]): readonly string[] {
  return apqns.map(formatApqn);
}

/** `01.0005` as the kernel prints it: adapter and domain, hexadecimal. The domain must fit a byte. */
function parseApqn(text: string): Apqn {
  const [adapter, domain] = text.split(".").map((part) => Number.parseInt(part, 16));
  if (adapter === undefined || domain === undefined || domain > 255) {
    throw new RangeError(`Cannot parse APQN: expected domains up to 00ff, got ${JSON.stringify(text)}`);
  }
  return { adapter, domain };
}

function formatApqn({ adapter, domain }: Apqn): string {
  return `${adapter.toString(16).padStart(2, "0")}.${domain.toString(16).padStart(4, "0")}`;
}
