// SPDX-License-Identifier: Apache-2.0

import * as fs from "node:fs";
import { BerthError } from "@berth/core/protocol/berth-error";
import { makePrivateDirectory, replaceFile, syncDirectory } from "../provision/durable-file.ts";

/** Where an agent keeps what it has to remember, unless told otherwise. */
export const STATE_DIRECTORY = "/var/lib/berth-agent";

/** Who an agent is, and whom it turns to. */
export interface AgentCredential {
  readonly host: string;
  readonly credential: string;
  /** Addresses, at least one. */
  readonly servers: readonly [string, ...string[]];
  /** The authority that the servers' certificates must come from, PEM; absent: those of the system. */
  readonly ca?: string;
}

const CREDENTIAL = "credential.json";
const GENERATION = "generation.json";

/** Larger files are none that Berth wrote. */
const FILE_MAX_BYTES = 1024 * 1024;

/**
 * Makes the state directory where it is missing, and checks that it belongs to this user alone. Throws BerthError
 * `token_unsafe`, and what the file system throws.
 */
export function openState(directory: string): void {
  makePrivateDirectory(directory);
  const found = fs.lstatSync(directory);
  if (!found.isDirectory()) throw unsafe(directory, "it is no directory");
  checkOwner(directory, found, "a directory of mode 0700");
  // A name that a crash left in memory alone must not be answered from.
  syncDirectory(directory);
}

/**
 * Reads the credential, undefined where the host was never enrolled. Throws BerthError `token_unsafe` for a file that
 * others can read or that is another user's, `agent_state_damaged` for one that is not as it was written.
 */
export function readCredential(directory: string): AgentCredential | undefined {
  const place = `${directory}/${CREDENTIAL}`;
  const values = readState(place);
  if (values === undefined) return undefined;
  const { host, credential, servers, ca } = values;
  const isWhole = isText(host) && isText(credential) && isTextList(servers) && (ca === undefined || isText(ca));
  if (!isWhole) throw damaged(place, "a part of the credential is missing");
  return { host, credential, servers, ...(ca === undefined ? {} : { ca }) };
}

/** Replaces the credential; it is on disk when this returns. */
export function writeCredential(directory: string, { host, credential, servers, ca }: AgentCredential): void {
  replaceFile(directory, CREDENTIAL, `${JSON.stringify({ format: 1, host, credential, servers, ca }, undefined, 2)}\n`);
}

/**
 * Raises the generation of this agent by one, or to the first above `atLeast`, and returns it. It is on disk then: no
 * generation is said twice, whatever happens. Throws BerthError as `readCredential`.
 */
export function raiseGeneration(directory: string, atLeast = 0): number {
  const generation = Math.max(readGeneration(directory), atLeast) + 1;
  replaceFile(directory, GENERATION, `${JSON.stringify({ format: 1, generation })}\n`);
  return generation;
}

function readGeneration(directory: string): number {
  const place = `${directory}/${GENERATION}`;
  const values = readState(place);
  if (values === undefined) return 0;
  const { generation } = values;
  if (typeof generation === "number" && Number.isSafeInteger(generation) && generation >= 0) return generation;
  throw damaged(place, "it holds no generation");
}

/** The values of a file of the state directory; undefined: there is none. */
function readState(place: string): Readonly<Record<string, unknown>> | undefined {
  const text = readPrivateFile(place);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged(place, "it is not JSON");
  }
  const values = (typeof value === "object" && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  if (values["format"] !== 1) throw damaged(place, "it has another format");
  return values;
}

/** What is checked is what is read: the file is opened once, and never through a link. */
function readPrivateFile(place: string): string | undefined {
  let file: number;
  try {
    file = fs.openSync(place, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    if (code === "ELOOP") throw unsafe(place, "it is a link");
    throw error;
  }
  try {
    const found = fs.fstatSync(file);
    if (!found.isFile()) throw unsafe(place, "it is no regular file");
    checkOwner(place, found, "a file of mode 0600");
    if (found.size > FILE_MAX_BYTES) throw damaged(place, `it holds more than ${FILE_MAX_BYTES} bytes`);
    return fs.readFileSync(file, "utf8");
  } finally {
    fs.closeSync(file);
  }
}

function checkOwner(place: string, { mode, uid }: fs.Stats, expected: string): void {
  if ((mode & 0o077) !== 0) throw unsafe(place, `its mode is 0${(mode & 0o777).toString(8)}`, expected);
  const own = process.geteuid?.();
  if (own !== undefined && uid !== own) throw unsafe(place, `it belongs to user ${uid}`, expected);
}

function unsafe(place: string, why: string, expected = "a file of mode 0600"): BerthError {
  const message = `Others could read or change ${place}: ${why}`;
  return new BerthError("token_unsafe", message, { place, expected: `${expected} that belongs to the agent's user` });
}

/** The text itself is not shown: it may hold a secret. */
function damaged(place: string, why: string): BerthError {
  const message = `The agent's state in ${place} is not what it wrote: ${why}`;
  return new BerthError("agent_state_damaged", message, { place });
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isTextList(value: unknown): value is readonly [string, ...string[]] {
  return Array.isArray(value) && value.length > 0 && value.every(isText);
}
