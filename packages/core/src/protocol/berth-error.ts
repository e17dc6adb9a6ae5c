// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from "./error-codes.ts";
import { ERROR_CODES } from "./error-codes.ts";

/** Where an error is and what was wrong with it. */
export interface ErrorFacts {
  /** File, path or argument. */
  readonly place?: string;
  /** What would have been right. */
  readonly expected?: string;
  /** One line each, where there is more than one thing wrong; at most 20. */
  readonly details?: readonly string[];
  readonly cause?: unknown;
}

/** A coded error: one sentence without a full stop, and what a person needs to find the place and mend it. */
export class BerthError extends Error {
  override readonly name: string = "BerthError";
  readonly code: ErrorCode;
  readonly place: string | undefined;
  readonly expected: string | undefined;
  readonly details: readonly string[];
  readonly httpStatus: number;
  readonly exitCode: 1 | 2;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.place = facts.place;
    this.expected = facts.expected;
    this.details = facts.details ?? [];
    this.httpStatus = ERROR_CODES[code].httpStatus;
    this.exitCode = ERROR_CODES[code].exitCode;
  }
}
