// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "./berth-error.ts";
import type { ErrorCode } from "./error-codes.ts";
import type { JsonSchema } from "./json-schema.ts";
import type { DocumentProblem } from "./validate-document.ts";
import { findProblems, fitsSchema, formatProblem } from "./validate-document.ts";

/** Most problems that one error lists. */
const LISTED_MAX = 20;

/** How documents of one kind are recognised and refused. */
export interface DocumentKind {
  /** As in "is not a driver pack". */
  readonly noun: string;
  readonly schema: JsonSchema;
  /** The property that names the format, and its value, such as `pack` and `berth.driver-pack/v1`. */
  readonly formatKey: string;
  readonly format: string;
  readonly malformed: ErrorCode;
  readonly unsupportedVersion?: ErrorCode;
  /** Where given, an unknown key has a code of its own. */
  readonly unknownKey?: ErrorCode;
  /** What a schema cannot say; asked only of a document that fits the schema. */
  readonly check?: (document: unknown) => readonly DocumentProblem[];
}

/**
 * Refuses a value that is not a document of a kind; the error's details say all that is wrong with it, at most 20 lines.
 * A document of another version of the same format is told from one that is wrong. Throws BerthError.
 */
export function requireDocument(kind: DocumentKind, value: unknown, place: string): void {
  const other = findOtherVersion(kind, value);
  if (other !== undefined && kind.unsupportedVersion !== undefined) {
    const message = `${place} has the format ${JSON.stringify(other)}, this Berth reads ${JSON.stringify(kind.format)}`;
    throw new BerthError(kind.unsupportedVersion, message, { place, expected: kind.format });
  }
  const problems = fitsSchema(kind.schema, value) ? [] : findProblems(kind.schema, value);
  const all = problems.length > 0 ? problems : (kind.check?.(value) ?? []);
  const [first] = all;
  if (first === undefined) return;
  throw refuse(kind, place, all);
}

function refuse(kind: DocumentKind, place: string, problems: readonly DocumentProblem[]): BerthError {
  const unknownKey = problems.some((problem) => problem.kind === "unknown-key") ? kind.unknownKey : undefined;
  const lines = problems.slice(0, LISTED_MAX).map(formatProblem);
  const more = problems.length - lines.length;
  const details = more > 0 ? [...lines, `and ${more} more`] : lines;
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new BerthError(unknownKey ?? kind.malformed, `${place} is not a ${kind.noun}: ${count}`, {
    place,
    expected: `a ${kind.noun} (${kind.format})`,
    details,
  });
}

/** The format of a document of this kind in another version: same name before the slash, other text after it. */
function findOtherVersion(kind: DocumentKind, value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, kind.formatKey)) return undefined;
  const format = (value as Readonly<Record<string, unknown>>)[kind.formatKey];
  const family = `${kind.format.split("/")[0] ?? ""}/`;
  if (typeof format !== "string" || format.length > 64 || format === kind.format) return undefined;
  return format.startsWith(family) ? format : undefined;
}
