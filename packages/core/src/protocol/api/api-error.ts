// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "../berth-error.ts";
import { ERROR_CODES, type ErrorCode } from "../error-codes.ts";
import type { ErrorAnswer } from "./answers.ts";

/** Writes a coded error in the one shape of the API; its cause stays behind. */
export function formatErrorAnswer(error: BerthError): ErrorAnswer {
  const { code, message, place, expected, details } = error;
  return { code, message, place: place ?? null, expected: expected ?? null, details };
}

/** The coded error behind an answer that is no success. One that has not the shape is `server_answer_malformed`. */
export function parseErrorAnswer(
  answer: unknown,
  asked: { readonly status: number; readonly place: string },
): BerthError {
  if (isErrorAnswer(answer)) {
    return new BerthError(answer.code, answer.message, {
      ...(typeof answer.place === "string" ? { place: answer.place } : {}),
      ...(typeof answer.expected === "string" ? { expected: answer.expected } : {}),
      details: answer.details.filter((detail) => typeof detail === "string").slice(0, 20),
    });
  }
  return new BerthError(
    "server_answer_malformed",
    `${asked.place} answered ${asked.status} without an error of this API`,
    {
      place: asked.place,
      expected: "an answer of Berth's API, version 1",
    },
  );
}

function isErrorAnswer(answer: unknown): answer is ErrorAnswer & { readonly code: ErrorCode } {
  if (typeof answer !== "object" || answer === null) return false;
  const { code, message, details } = answer as Partial<Record<keyof ErrorAnswer, unknown>>;
  return (
    typeof code === "string" &&
    Object.hasOwn(ERROR_CODES, code) &&
    typeof message === "string" &&
    Array.isArray(details)
  );
}
