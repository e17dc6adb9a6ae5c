// SPDX-License-Identifier: Apache-2.0

import { randomBytes, randomUUID } from "node:crypto";
import type { LoadedPack } from "@berth/core/compatibility/packs/pack";
import type { Policy } from "@berth/core/compatibility/policy";
import { BerthError } from "@berth/core/protocol/berth-error";
import { makeAgentDesk } from "../agents/make-agent-desk.ts";
import type { AgentDesk } from "../agents/agent-desk.ts";
import { makeClaimBook } from "../claims/make-claim-book.ts";
import type { Control } from "../http/control.ts";
import { makeHostOrders } from "../orders/make-host-orders.ts";
import { makeProbeBook } from "../probes/make-probe-book.ts";
import { startReplica, type ReplicaFailure } from "../replica/start-replica.ts";
import { setRealAlarm, type Alarm } from "../store/alarm.ts";
import type { Store } from "../store/store.ts";
import { startDuties } from "./duties.ts";
import { newId } from "./new-id.ts";

/** What a control plane is made of. Clock and chance are the process's own unless given. */
export interface ControlPlaneParts {
  readonly store: Store;
  readonly policy: Policy;
  readonly packs: readonly LoadedPack[];
  /** SHA-256 of the certificate of the authority that agents are to pin; absent: no TLS. */
  readonly pin?: string;
  /** Writes a consistent copy of the store into a fresh file and answers its path. */
  readonly backup?: () => Promise<string>;
  /** One line for people about something that went wrong and is tried again. */
  readonly log: (line: string) => void;
  /** Told once of a failure that only a new process mends: the store's writer has ended, or it was restored under us. */
  readonly onFatal: (error: Error) => void;
  /** Milliseconds since 1970: of what is written down, and when a hold runs out. */
  readonly now?: () => number;
  /** Milliseconds that only ever grow, whatever is done to the clock: by them it is known how far the replica is behind. */
  readonly passed?: () => number;
  readonly newId?: () => string;
  readonly newUuid?: () => string;
  /** Secrets of tokens and credentials: 256 random bits unless given. */
  readonly newSecret?: () => string;
  /** Of this server, distinct among all that were ever open on the store; a random one unless given. */
  readonly name?: string;
  readonly alarm?: Alarm;
}

/** A control plane that runs. */
export interface ControlPlane {
  readonly control: Control;
  /** Ends its duties, waits and watches. The store is the caller's to close. */
  close(): Promise<void>;
}

/** A store that fails this often in a row, a second apart, is not coming back to this process. */
const FAILURES_MAX = 15;

/**
 * Starts everything of a server but its HTTP side over a store: the replica, claims, agents, orders, probes, and what is
 * done without being asked. Throws BerthError store_* where the store cannot be read.
 */
export async function startControlPlane(parts: ControlPlaneParts): Promise<ControlPlane> {
  const { store, policy, packs, now = Date.now, alarm = setRealAlarm } = parts;
  const passed = parts.passed ?? ((): number => performance.now());
  const drawId = parts.newId ?? (() => newId(now()));
  const health = watchHealth(parts);
  const { name = `r${randomBytes(8).toString("hex")}` } = parts;
  const replica = await startReplica({ store, policy, packs, name, now: passed, alarm, onFailure: health.noteWatch });
  const own: { desk?: AgentDesk } = {};
  const claims = makeClaimBook({
    replica,
    now,
    newId: drawId,
    newUuid: parts.newUuid ?? randomUUID,
    isHeard: (host) => own.desk?.isHeard(host) ?? false,
  });
  const probes = makeProbeBook({ replica, now, newId: drawId });
  const { newSecret = (): string => randomBytes(32).toString("base64url") } = parts;
  const pin = parts.pin === undefined ? {} : { pin: parts.pin };
  const agents = makeAgentDesk({ replica, claims, probes, now, newId: drawId, newSecret, alarm, ...pin });
  own.desk = agents;
  const orders = makeHostOrders({ replica, now, newId: drawId });
  const duties = startDuties({
    store,
    replica: name,
    claims,
    now,
    alarm,
    onFailure: health.noteFailure,
    onSuccess: health.noteSuccess,
  });
  const backup = parts.backup === undefined ? {} : { backup: parts.backup };
  return {
    control: { replica, claims, agents, orders, probes, ...backup },
    close: async () => {
      await duties.stop();
      await agents.close();
      await replica.close();
    },
  };
}

/** Tells a store that stumbles from one that is gone. */
function watchHealth({ log, onFatal }: ControlPlaneParts) {
  let failures = 0;
  let isTold = false;
  /** What was logged since the last success. */
  const told = new Set<string>();
  const tell = (error: unknown): void => {
    if (isTold) return;
    isTold = true;
    onFatal(error instanceof Error ? error : new Error(String(error)));
  };
  return {
    noteWatch: (error: unknown, what: ReplicaFailure): void => {
      if (what === "is-over") tell(error);
      else if (what === "listener-failed") log(`a change could not be told to everybody: ${textOf(error)}`);
      else log(`the store cannot be followed and is tried again: ${textOf(error)}`);
    },
    noteFailure: (duty: string, error: unknown): void => {
      failures += 1;
      const line = `${duty} failed and is tried again: ${textOf(error)}`;
      // A store that is full for a day fails every second of it.
      if (!told.has(line)) log(line);
      told.add(line);
      const isGone = error instanceof BerthError && error.code === "store_unavailable";
      if (isGone && failures >= FAILURES_MAX) tell(error);
    },
    noteSuccess: (): void => {
      failures = 0;
      told.clear();
    },
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
