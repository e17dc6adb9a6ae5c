// SPDX-License-Identifier: Apache-2.0

import { parseUuid } from "../device/address.ts";
import type { Uuid } from "../device/address.ts";
import { quoteText } from "../device/quoted-text.ts";
import { formatKernelUint, parseKernelUint } from "./numbers.ts";

/**
 * Which text a type's `create` takes (section 2.1): `plain` a UUID, as every merged kernel; `aggregate` and `instances`
 * a UUID and one parameter of that name, as the proposals of 2018-2019 and their first draft.
 */
export type CreateDialect = "plain" | "aggregate" | "instances";

/** What a write to `create` asks for. */
export interface CreateRequest {
  readonly uuid: Uuid;
  /** How many units the device takes, 1 or more. Absent: an ordinary device. */
  readonly aggregate?: number;
}

const UUID_LENGTH = 36;
/** MDEV_CREATE_BUF of the proposal, its terminating NUL taken off. */
const CREATE_MAX = 4095;

/**
 * Reads a text written to `create`. Stricter than today's kernel in one place: the 37th byte, which the kernel does not
 * look at, must be LF. A parameter of 0 is legal and makes an ordinary device, so it is left out of the answer.
 * Throws SyntaxError where the kernel answers EINVAL or E2BIG, and RangeError for a number beyond 32 bits.
 */
export function parseCreateRequest(raw: string, options: { readonly dialect: CreateDialect }): CreateRequest {
  if (raw.length > CREATE_MAX) throw refuse(raw, `at most ${CREATE_MAX} bytes`);
  const uuid = parseUuid(raw.slice(0, UUID_LENGTH));
  const rest = raw.slice(UUID_LENGTH);
  if (rest === "" || rest === "\n") return { uuid };
  if (options.dialect === "plain") throw refuse(raw, "a UUID and nothing else");
  const key = `,${options.dialect}=`;
  if (!rest.startsWith(key)) throw refuse(raw, `a UUID and "${key}N"`);
  const aggregate = parseKernelUint(rest.slice(key.length), options.dialect);
  return aggregate === 0 ? { uuid } : { uuid, aggregate };
}

/**
 * Writes the text for `create`, with a trailing LF as `echo` does. Throws RangeError for a count that is not a 32-bit
 * number of at least 1, and SyntaxError for a count in the plain dialect, which has no parameter.
 */
export function formatCreateRequest(request: CreateRequest, dialect: CreateDialect): string {
  if (request.aggregate === undefined) return `${request.uuid}\n`;
  if (dialect === "plain") {
    throw new SyntaxError(`Cannot write create: expected no count in the plain dialect, got ${request.aggregate}`);
  }
  if (request.aggregate < 1) throw new RangeError(`Cannot write create: expected at least 1, got ${request.aggregate}`);
  return `${request.uuid},${dialect}=${formatKernelUint(request.aggregate)}`;
}

function refuse(raw: string, expected: string): SyntaxError {
  return new SyntaxError(`Cannot parse create: expected ${expected}, got ${quoteText(raw)}`);
}
