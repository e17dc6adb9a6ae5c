// SPDX-License-Identifier: Apache-2.0

/** What a coded error means to a program: the HTTP status and the exit code of the command. */
export interface ErrorMeaning {
  readonly httpStatus: number;
  /** 1: failed. 2: the command itself was given wrongly. */
  readonly exitCode: 1 | 2;
  /** One sentence without a full stop; docs/errors.md holds the same one. */
  readonly meaning: string;
}

/**
 * Every error code, sorted within its group. A code is an interface: it is never changed or reused. docs/errors.md
 * explains each, and a test keeps the two equal. Answers such as "incompatible" are not errors and are not here.
 */
export const ERROR_CODES = {
  ambiguous_device: { httpStatus: 409, exitCode: 2, meaning: "More than one device fits the reference" },
  bad_host_argument: { httpStatus: 400, exitCode: 2, meaning: "A --host argument is not NAME=ROOT" },
  capture_malformed: { httpStatus: 422, exitCode: 1, meaning: "A captured tree is not a readable archive" },
  capture_too_large: { httpStatus: 413, exitCode: 1, meaning: "A captured tree holds more than the limit" },
  capture_truncated: { httpStatus: 422, exitCode: 1, meaning: "A captured tree ends in the middle" },
  capture_unsupported_entry: {
    httpStatus: 422,
    exitCode: 1,
    meaning: "A captured tree holds an entry of an unknown kind",
  },
  duplicate_host: { httpStatus: 400, exitCode: 2, meaning: "Two hosts have the same name" },
  file_not_found: { httpStatus: 404, exitCode: 1, meaning: "A named file does not exist" },
  file_too_large: { httpStatus: 413, exitCode: 1, meaning: "A file is larger than the limit" },
  file_unreadable: { httpStatus: 500, exitCode: 1, meaning: "A named file exists and cannot be read" },
  internal: { httpStatus: 500, exitCode: 1, meaning: "Berth itself is at fault" },
  invalid_reference: { httpStatus: 400, exitCode: 2, meaning: "A device, type or parent is not named as expected" },
  invalid_uuid: { httpStatus: 400, exitCode: 2, meaning: "A text is not a UUID" },
  json_malformed: { httpStatus: 400, exitCode: 1, meaning: "A text is not the JSON that Berth accepts" },
  output_failed: { httpStatus: 500, exitCode: 1, meaning: "An answer could not be written" },
  pack_digest_mismatch: { httpStatus: 409, exitCode: 1, meaning: "A driver pack is not the one that was asked for" },
  pack_duplicate: { httpStatus: 409, exitCode: 1, meaning: "Two driver packs given have the same name" },
  pack_malformed: { httpStatus: 422, exitCode: 1, meaning: "A document is not a driver pack" },
  pack_unsupported_version: { httpStatus: 422, exitCode: 1, meaning: "A driver pack has a format of another version" },
  pack_vectors_malformed: { httpStatus: 422, exitCode: 1, meaning: "A document is not a file of pack test vectors" },
  policy_malformed: { httpStatus: 422, exitCode: 1, meaning: "A document is not a policy" },
  policy_unknown_key: { httpStatus: 422, exitCode: 1, meaning: "A policy names a switch that does not exist" },
  policy_unsupported_version: { httpStatus: 422, exitCode: 1, meaning: "A policy has a format of another version" },
  profile_malformed: { httpStatus: 422, exitCode: 1, meaning: "A document is not a migration profile" },
  profile_unsupported_version: {
    httpStatus: 422,
    exitCode: 1,
    meaning: "A migration profile has a format of another version",
  },
  root_not_a_directory: { httpStatus: 400, exitCode: 2, meaning: "A root is neither a directory nor a captured tree" },
  root_not_found: { httpStatus: 404, exitCode: 2, meaning: "A root does not exist" },
  unknown_device: { httpStatus: 404, exitCode: 1, meaning: "No host given has this device" },
  unknown_host: { httpStatus: 404, exitCode: 2, meaning: "No host of this name was given" },
  unknown_parent: { httpStatus: 404, exitCode: 1, meaning: "The host has no such parent device" },
  unknown_type: { httpStatus: 404, exitCode: 1, meaning: "The parent device has no such type" },
  usage_bad_value: { httpStatus: 400, exitCode: 2, meaning: "An option has a value that it does not take" },
  usage_conflict: { httpStatus: 400, exitCode: 2, meaning: "Two arguments exclude each other" },
  usage_missing_argument: { httpStatus: 400, exitCode: 2, meaning: "An argument is missing" },
  usage_too_many_arguments: {
    httpStatus: 400,
    exitCode: 2,
    meaning: "There are more arguments than the command takes",
  },
  usage_unknown_command: { httpStatus: 404, exitCode: 2, meaning: "There is no such command" },
  usage_unknown_option: { httpStatus: 400, exitCode: 2, meaning: "There is no such option" },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;
