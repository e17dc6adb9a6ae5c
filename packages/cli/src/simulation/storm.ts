// SPDX-License-Identifier: Apache-2.0

import { drawUuid, type Chance } from "./chance.ts";
import { PARENT, SOURCE, SOURCE_UNITS, sourceDevice } from "./pool-hosts.ts";
import { insist, startClient } from "./simulated-client.ts";
import type { SimulatedHypervisor } from "./simulated-hypervisor.ts";
import { beginLife } from "./virtual-time.ts";
import type { World } from "./world.ts";

/** Everything that goes wrong, each at its own times, until it is ended. */
export function startStorm(world: World): { end(): void } {
  const { chance, time, servers, hosts, onFault } = world;
  const life = beginLife();
  const nodes = [...hosts.values()].filter(({ name }) => name !== SOURCE);
  const forever = (everyMs: number, act: (chance: Chance) => void | Promise<unknown>): void => {
    const own = chance.split();
    const live = async (): Promise<void> => {
      while (!life.isOver) {
        await time.sleep(everyMs * (0.2 + 1.6 * own.next()));
        if (!life.isOver) await act(own);
      }
    };
    live().catch((error: unknown) => onFault(error, "the storm"));
  };
  forever(12_000, (own) => {
    const server = own.pick(servers);
    server.kill();
    time.alarm(own.below(8000), () => server.start());
  });
  forever(9000, (own) => {
    const host = own.pick([...hosts.values()]);
    host.kill();
    time.alarm(500 + own.below(6000), () => host.startAgent());
  });
  // Whoever is behind then finds that what follows is gone.
  forever(8000, (own) => world.journal.compact(Math.max(0, world.laws.seen - own.below(3))));
  forever(4000, (own) => {
    own.pick(nodes).doom = { left: own.below(4), when: own.is(0.5) ? "before" : "after" };
  });
  forever(30_000, (own) => reboot(world, own.pick(nodes), own));
  if (world.hasStrangers) forever(4000, (own) => moveStranger(world, own.pick(nodes), own));
  forever(15_000, async (own) => {
    const { name } = own.pick(nodes);
    const caller = { principal: "operator" };
    const asking = { life, chance: own };
    await insist(world, asking, ({ orders }) => orders.cordon(name, {}, caller));
    await time.sleep(own.below(5000));
    await insist(world, { life: beginLife(), chance: own }, ({ orders }) => orders.uncordon(name, caller));
  });
  const sources = SOURCE_UNITS.map((units) => ({ host: SOURCE, device: sourceDevice(units) }));
  const clientWorld = { ...world, sources, hosts: nodes.map(({ name }) => name) };
  const clients = [0, 1, 2, 3].map((at) => startClient(`client-${at}`, clientWorld, chance.split()));
  return {
    end: () => {
      life.end();
      for (const client of clients) client.end();
    },
  };
}

/** A host loses power for a while; an operator may declare it fenced meanwhile. */
async function reboot(world: World, host: SimulatedHypervisor, chance: Chance): Promise<void> {
  if (!host.isPowered) return;
  host.powerOff();
  world.strangers.delete(host.name);
  await world.time.sleep(1000 + chance.below(10_000));
  if (chance.is(0.4)) {
    const asking = { life: beginLife(), chance, isSure: true };
    await insist(world, asking, ({ claims }) => claims.fence(host.name, { principal: "operator" }));
  }
  host.powerOn();
}

/** Somebody else makes a device on a host, or takes one of its own away. */
function moveStranger({ strangers }: World, { name, kernel, isPowered }: SimulatedHypervisor, chance: Chance): void {
  if (!isPowered) return;
  const own = strangers.get(name) ?? new Set<string>();
  strangers.set(name, own);
  const [oldest] = own;
  if (oldest !== undefined && chance.is(0.5)) {
    kernel.remove(oldest);
    own.delete(oldest);
    return;
  }
  const uuid = drawUuid(chance);
  if (kernel.create(PARENT, "dsa-1dwq", uuid).kind === "written") own.add(uuid);
}
