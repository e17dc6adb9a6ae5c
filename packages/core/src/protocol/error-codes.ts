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
  ambiguous_vm: { httpStatus: 409, exitCode: 2, meaning: "More than one VM fits the reference" },
  bad_host_argument: { httpStatus: 400, exitCode: 2, meaning: "A --host argument is not NAME=ROOT" },
  body_too_large: { httpStatus: 413, exitCode: 1, meaning: "A request body holds more than the limit" },
  capture_malformed: { httpStatus: 422, exitCode: 1, meaning: "A captured tree is not a readable archive" },
  capture_too_large: { httpStatus: 413, exitCode: 1, meaning: "A captured tree holds more than the limit" },
  capture_truncated: { httpStatus: 422, exitCode: 1, meaning: "A captured tree ends in the middle" },
  capture_unsupported_entry: {
    httpStatus: 422,
    exitCode: 1,
    meaning: "A captured tree holds an entry of an unknown kind",
  },
  cursor_malformed: { httpStatus: 400, exitCode: 1, meaning: "A page cursor or event id is none that this API gave" },
  duplicate_host: { httpStatus: 400, exitCode: 2, meaning: "Two hosts have the same name" },
  file_not_found: { httpStatus: 404, exitCode: 1, meaning: "A named file does not exist" },
  file_too_large: { httpStatus: 413, exitCode: 1, meaning: "A file is larger than the limit" },
  file_unreadable: { httpStatus: 500, exitCode: 1, meaning: "A named file exists and cannot be read" },
  header_fields_too_large: {
    httpStatus: 431,
    exitCode: 1,
    meaning: "The header fields of a request hold more than the limit",
  },
  hello_malformed: { httpStatus: 422, exitCode: 1, meaning: "A document is not an agent's hello" },
  hello_old_generation: { httpStatus: 409, exitCode: 1, meaning: "An agent is older than one that has reported" },
  hello_wrong_host: { httpStatus: 403, exitCode: 1, meaning: "An agent names another host than its credential" },
  host_header_refused: {
    httpStatus: 421,
    exitCode: 1,
    meaning: "A request without a token names another host than this machine",
  },
  internal: { httpStatus: 500, exitCode: 1, meaning: "Berth itself is at fault" },
  invalid_reference: { httpStatus: 400, exitCode: 2, meaning: "A device, type or parent is not named as expected" },
  invalid_uuid: { httpStatus: 400, exitCode: 2, meaning: "A text is not a UUID" },
  inventory_malformed: { httpStatus: 422, exitCode: 1, meaning: "A document is not a host's inventory" },
  inventory_unsupported_version: {
    httpStatus: 422,
    exitCode: 1,
    meaning: "An inventory has a format of another version",
  },
  json_malformed: { httpStatus: 400, exitCode: 1, meaning: "A text is not the JSON that Berth accepts" },
  listen_failed: { httpStatus: 500, exitCode: 1, meaning: "The server cannot listen on its address" },
  listen_needs_tokens: { httpStatus: 400, exitCode: 2, meaning: "An address that others can reach needs tokens" },
  media_type_unsupported: { httpStatus: 415, exitCode: 1, meaning: "A request body is not JSON" },
  method_not_allowed: { httpStatus: 405, exitCode: 1, meaning: "The resource does not take this method" },
  not_allowed: { httpStatus: 403, exitCode: 1, meaning: "The token's role may not do this" },
  not_authenticated: { httpStatus: 401, exitCode: 1, meaning: "A request has no token, or one that is not known" },
  not_found: { httpStatus: 404, exitCode: 1, meaning: "There is no such resource" },
  not_ready: { httpStatus: 503, exitCode: 1, meaning: "The server has no inventory to answer from" },
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
  protocol_unsupported: { httpStatus: 426, exitCode: 1, meaning: "Agent and server share no version of the protocol" },
  report_malformed: { httpStatus: 422, exitCode: 1, meaning: "A document is not a report, or makes no sense" },
  report_out_of_order: { httpStatus: 409, exitCode: 1, meaning: "A report is older than what is known" },
  report_shape_mismatch: { httpStatus: 422, exitCode: 1, meaning: "A shape is not the one that its digest names" },
  report_too_large: { httpStatus: 413, exitCode: 1, meaning: "An inventory or a shape holds more than 64 KiB" },
  report_unsupported_version: { httpStatus: 422, exitCode: 1, meaning: "A report has a format of another version" },
  report_wrong_host: { httpStatus: 403, exitCode: 1, meaning: "A report is of another host than its sender" },
  request_malformed: { httpStatus: 400, exitCode: 1, meaning: "A request is not what the resource takes" },
  request_timeout: { httpStatus: 408, exitCode: 1, meaning: "A request was not sent in time" },
  root_not_a_directory: { httpStatus: 400, exitCode: 2, meaning: "A root is neither a directory nor a captured tree" },
  root_not_found: { httpStatus: 404, exitCode: 2, meaning: "A root does not exist" },
  search_too_large: { httpStatus: 422, exitCode: 1, meaning: "A search under another policy spans too many hosts" },
  server_answer_malformed: {
    httpStatus: 502,
    exitCode: 1,
    meaning: "A server answered something that is no answer of this API",
  },
  server_unreachable: { httpStatus: 502, exitCode: 1, meaning: "A server cannot be reached" },
  store_damaged: { httpStatus: 500, exitCode: 1, meaning: "The store's file is not what Berth wrote" },
  store_exists: {
    httpStatus: 409,
    exitCode: 1,
    meaning: "There is a store or a file where a new one is to be written",
  },
  store_format_newer: { httpStatus: 500, exitCode: 1, meaning: "The store was written by a newer Berth" },
  store_full: { httpStatus: 507, exitCode: 1, meaning: "The store has no room left" },
  store_lease_ended: { httpStatus: 409, exitCode: 1, meaning: "A lease of the store has ended" },
  store_locked: { httpStatus: 409, exitCode: 1, meaning: "Another process has the data directory" },
  store_read_only: { httpStatus: 500, exitCode: 1, meaning: "The store cannot be written to" },
  store_unavailable: { httpStatus: 503, exitCode: 1, meaning: "The store does not answer" },
  tokens_malformed: { httpStatus: 422, exitCode: 1, meaning: "A document is not a tokens file" },
  too_many_streams: { httpStatus: 503, exitCode: 1, meaning: "The server follows as many event streams as it allows" },
  unknown_device: { httpStatus: 404, exitCode: 1, meaning: "No host given has this device" },
  unknown_host: { httpStatus: 404, exitCode: 2, meaning: "No host of this name was given" },
  unknown_parent: { httpStatus: 404, exitCode: 1, meaning: "The host has no such parent device" },
  unknown_type: { httpStatus: 404, exitCode: 1, meaning: "The parent device has no such type" },
  unknown_vm: { httpStatus: 404, exitCode: 1, meaning: "No host given has this VM" },
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
  vm_without_devices: { httpStatus: 422, exitCode: 1, meaning: "A VM has no device that needs a place" },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;
