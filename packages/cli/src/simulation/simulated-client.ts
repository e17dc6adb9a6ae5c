// SPDX-License-Identifier: Apache-2.0

import type { ClaimBody } from "@berth/core/protocol/api/control-requests";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { Control } from "@berth/server/http/control";
import type { Chance } from "./chance.ts";
import type { Network, Target } from "./network.ts";
import { beginLife, type Life, type VirtualTime } from "./virtual-time.ts";

/** What clients were told and must be able to rely on, by claim. */
export interface Acknowledged {
  readonly granted: Map<string, "held" | "make">;
  readonly confirmed: Set<string>;
  readonly released: Set<string>;
  /** Claims whose release was asked for and perhaps never answered. */
  readonly letGo: Set<string>;
  refused: number;
}

/** What clients of a simulation have in common. */
export interface ClientWorld {
  readonly time: VirtualTime;
  readonly network: Network;
  readonly servers: readonly Target<Control>[];
  readonly told: Acknowledged;
  /** What may be claimed for, and the hosts that may be asked for by name. */
  readonly sources: readonly { readonly host: string; readonly device: string }[];
  readonly hosts: readonly string[];
  readonly onFault: (error: unknown, where: string) => void;
}

/** What says that a server is away, comes up or cannot reach its store: the request is sent again. */
const PASSING: ReadonlySet<string> = new Set([
  "server_unreachable",
  "store_unavailable",
  "claim_contended",
  "internal",
]);
/** What may be said of a claim that goes its own way, and of a host whose documents are still on their way. */
const EXPECTED: ReadonlySet<string> = new Set([
  "claim_ended",
  "claim_state",
  "claim_in_use",
  "unknown_claim",
  "unknown_host",
  "unknown_device",
  "ledger_full",
]);
const PATIENCE_MS = 8000;
const PAUSE_MS = 300;
const HELD_MAX = 4;

/** Asks one server after the other until there is an answer; undefined: the life is over first. */
export async function insist<A>(
  { time, network, servers }: Pick<ClientWorld, "time" | "network" | "servers">,
  asking: { readonly life: Life; readonly chance: Chance; readonly isSure?: boolean },
  ask: (control: Control) => Promise<A>,
): Promise<A | undefined> {
  const { life, chance, isSure = false } = asking;
  while (!life.isOver) {
    const patience = new AbortController();
    const cancel = time.alarm(PATIENCE_MS, () => {
      patience.abort(new BerthError("server_unreachable", "The server did not answer in time"));
    });
    try {
      const to = chance.pick(servers);
      const signal = patience.signal;
      return await network.send({ from: life, to, body: null, signal, isSure, ask: async (control) => ask(control) });
    } catch (error) {
      if (!(error instanceof BerthError) || !PASSING.has(error.code)) throw error;
      await time.sleep(PAUSE_MS + chance.below(PAUSE_MS));
    } finally {
      cancel();
    }
  }
  return undefined;
}

/** A client that claims, confirms and gives back until its life is over. */
export function startClient(name: string, world: ClientWorld, chance: Chance): Life {
  const life = beginLife();
  liveAsClient({ name, life }, world, chance).catch((error: unknown) => world.onFault(error, name));
  return life;
}

interface Own {
  readonly name: string;
  readonly life: Life;
}

async function liveAsClient(own: Own, world: ClientWorld, chance: Chance): Promise<void> {
  const held: string[] = [];
  for (let order = 0; !own.life.isOver; order += 1) {
    await world.time.sleep(100 + chance.below(2500));
    try {
      await orderOnce({ ...own, key: `${own.name}-${order}`, held }, world, chance);
    } catch (error) {
      if (!(error instanceof BerthError) || !EXPECTED.has(error.code)) throw error;
    }
  }
}

async function orderOnce(
  { name, life, key, held }: Own & { readonly key: string; readonly held: string[] },
  world: ClientWorld,
  chance: Chance,
): Promise<void> {
  const { told, sources, hosts } = world;
  const caller = { principal: name };
  const asking = { life, chance };
  const at = chance.below(held.length);
  const id = held[at];
  if (id !== undefined && (held.length >= HELD_MAX || chance.is(0.4))) {
    held.splice(at, 1);
    told.letGo.add(id);
    if ((await insist(world, asking, ({ claims }) => claims.release(id, caller))) !== undefined) told.released.add(id);
    return;
  }
  if (id !== undefined && told.granted.get(id) === "held" && !told.confirmed.has(id) && chance.is(0.5)) {
    const confirmed = await insist(world, asking, ({ claims }) => claims.confirm(id, caller));
    if (confirmed !== undefined) told.confirmed.add(id);
    return;
  }
  const make = chance.is(0.6);
  const body: ClaimBody = {
    for: chance.pick(sources),
    make,
    ttlSeconds: chance.pick([5, 20, 60]),
    ...(chance.is(0.3) ? { to: chance.pick(hosts) } : {}),
    ...(chance.is(0.3) ? { strategy: chance.pick(["pack", "spread"] as const) } : {}),
  };
  const idempotency = { key, request: JSON.stringify(body) };
  const answer = await insist(world, asking, ({ claims }) => claims.claim(body, { ...caller, idempotency }));
  if (answer?.kind === "granted") {
    told.granted.set(answer.claim.id, make ? "make" : "held");
    held.push(answer.claim.id);
  } else told.refused += 1;
}
