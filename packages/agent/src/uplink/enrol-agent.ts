// SPDX-License-Identifier: Apache-2.0

import * as fs from "node:fs";
import { makeAgentClient } from "@berth/core/protocol/agent/agent-client";
import { parseEnrolmentToken, type EnrolAnswer } from "@berth/core/protocol/agent/agent-wire";
import { BerthError } from "@berth/core/protocol/berth-error";
import { replaceFile } from "../provision/durable-file.ts";
import { openState, raiseGeneration, writeCredential, type AgentCredential } from "./agent-state.ts";
import { findPinnedAuthority } from "./certificate-pin.ts";
import { parseServerAddress, type ServerAddress } from "./server-address.ts";
import { lockState } from "./state-lock.ts";
import { openTransport } from "./transport.ts";

/** How a host is enrolled. */
export interface Enrolment {
  /** Addresses of servers, at least one; all are kept, the first that answers enrols. */
  readonly servers: readonly [string, ...string[]];
  /** As an operator carried it here: `berth1.SECRET.PIN`. */
  readonly token: string;
  /** The name under which the host wants to be known; the token may demand another. */
  readonly host: string;
  readonly stateDirectory: string;
  /** An authority to trust where the token names none, PEM; those of the system unless given. */
  readonly ca?: string;
  /** How long one server may take. */
  readonly timeoutMs?: number;
}

/** Whom the servers took this host for. */
export interface Enrolled {
  readonly host: string;
  /** The server that enrolled it. */
  readonly server: string;
}

const TIMEOUT_MS = 10_000;

/** Holds the room on the disk that a credential with its authority takes, until there is one. */
const RESERVE = "reserve.tmp";
const RESERVE_BYTES = 32 * 1024;

/**
 * Enrols this host: gives a one-time token to a server that proves to be the right one, and keeps the credential that it
 * is given. When this returns, the credential is on disk. The token goes to no server whose certificate does not come from
 * the authority that the token names.
 *
 * Throws BerthError: `usage_bad_value` for a token or an address that is none, `token_unsafe`, `store_locked`,
 * `server_certificate_refused`, `server_unreachable`, `server_answer_malformed`, and what the server answers
 * (`enrolment_refused`).
 */
export async function enrolAgent(enrolment: Enrolment): Promise<Enrolled> {
  const { stateDirectory, servers } = enrolment;
  const addresses = servers.map(parseServerAddress);
  const token = readToken(enrolment.token);
  if (token.pin !== undefined && addresses.some(({ protocol }) => protocol === "http:")) {
    throw new BerthError("usage_bad_value", "The token names an authority, and a server is reached without TLS", {
      expected: "https:// for every server",
    });
  }
  // Before the token is used up: what is the good of a credential that cannot be kept?
  openState(stateDirectory);
  const lock = await lockState(stateDirectory);
  try {
    replaceFile(stateDirectory, RESERVE, "-".repeat(RESERVE_BYTES));
    const { address, answer, ca } = await askServers(addresses, enrolment, token);
    const { host, credential, generation = 0 } = requireAnswer(answer, address);
    fs.rmSync(`${stateDirectory}/${RESERVE}`);
    raiseGeneration(stateDirectory, generation);
    const kept: AgentCredential = { host, credential, servers, ...(ca === undefined ? {} : { ca }) };
    writeCredential(stateDirectory, kept);
    return { host, server: address.origin };
  } finally {
    fs.rmSync(`${stateDirectory}/${RESERVE}`, { force: true });
    await lock.release();
  }
}

type Token = ReturnType<typeof parseEnrolmentToken>;

interface Answered {
  readonly address: ServerAddress;
  readonly answer: EnrolAnswer;
  readonly ca: string | undefined;
}

/** Asks one server after the other. What a server says is final; one that cannot be asked is passed over. */
async function askServers(addresses: readonly ServerAddress[], enrolment: Enrolment, token: Token): Promise<Answered> {
  let failed: unknown;
  for (const address of addresses) {
    try {
      return await askServer(address, enrolment, token);
    } catch (error) {
      const isPassedOver =
        error instanceof BerthError && ["server_unreachable", "server_certificate_refused"].includes(error.code);
      if (!isPassedOver) throw error;
      failed ??= error;
    }
  }
  throw failed as Error;
}

async function askServer(address: ServerAddress, enrolment: Enrolment, { secret, pin }: Token): Promise<Answered> {
  const { timeoutMs = TIMEOUT_MS, host } = enrolment;
  const ca = pin === undefined ? enrolment.ca : await findPinnedAuthority(address, { pin, timeoutMs });
  const transport = openTransport(address, ca === undefined ? {} : { ca });
  try {
    const client = makeAgentClient((request) => transport.fetchLike({ ...request, timeoutMs }));
    return { address, answer: await client.enrol({ secret, host }), ca };
  } finally {
    transport.close();
  }
}

/** A token that is none is a value given wrongly; it is not shown. */
function readToken(text: string): Token {
  try {
    return parseEnrolmentToken(text);
  } catch (error) {
    throw new BerthError("usage_bad_value", (error as Error).message, { expected: "a token of `berth agents enrol`" });
  }
}

function requireAnswer(answer: EnrolAnswer, { origin }: ServerAddress): EnrolAnswer {
  const { host, credential, generation = 0 } = answer;
  const isWhole = [host, credential].every((text) => typeof text === "string" && text !== "");
  // What cannot stand in a header is no credential.
  if (isWhole && /^[\x21-\x7e]+$/.test(credential) && Number.isSafeInteger(generation)) return answer;
  const message = `${origin} gave no credential; the token is used up, make another one`;
  throw new BerthError("server_answer_malformed", message, { place: origin });
}
