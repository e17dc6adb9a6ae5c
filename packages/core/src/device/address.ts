// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "./quoted-text.ts";

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** PCI address `dddd:bb:dd.f`, lower-case hexadecimal. */
export type PciAddress = Branded<"PciAddress">;
/** UUID of an mdev device, 36 characters, lower case. */
export type Uuid = Branded<"Uuid">;
/** Subchannel id `css.ssid.devno`, such as `0.0.0313`, lower-case hexadecimal. */
export type SubchannelId = Branded<"SubchannelId">;

const PCI_ADDRESS = /^([0-9a-f]{4,8}):([0-9a-f]{2}):([01][0-9a-f])\.([0-7])$/i;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const SUBCHANNEL = /^[0-9a-f]{1,2}\.[0-3]\.[0-9a-f]{4}$/i;

/** Whether a text is a full PCI address, domain included. */
export function isPciAddress(text: string): boolean {
  return PCI_ADDRESS.test(text);
}

/** Whether a text is a UUID in its 36-character form. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Reads a PCI address with its domain; the answer is lower case. Throws SyntaxError. */
export function parsePciAddress(text: string): PciAddress {
  if (isPciAddress(text)) return text.toLowerCase() as PciAddress;
  throw new SyntaxError(`Cannot parse PCI address: expected dddd:bb:dd.f, got ${quoteText(text)}`);
}

/** Reads a UUID; the answer is lower case, as the kernel prints it. Throws SyntaxError. */
export function parseUuid(text: string): Uuid {
  if (isUuid(text)) return text.toLowerCase() as Uuid;
  throw new SyntaxError(`Cannot parse UUID: expected 36 characters 8-4-4-4-12, got ${quoteText(text)}`);
}

/** Reads a subchannel id such as `0.0.0313`; the answer is lower case. Throws SyntaxError. */
export function parseSubchannelId(text: string): SubchannelId {
  if (SUBCHANNEL.test(text)) return text.toLowerCase() as SubchannelId;
  throw new SyntaxError(`Cannot parse subchannel id: expected css.ssid.devno such as 0.0.0313, got ${quoteText(text)}`);
}
