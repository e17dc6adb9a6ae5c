// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import type { Claim } from "@berth/core/claim/claim";
import { ledgerOccupants, type LedgerDocument } from "@berth/core/claim/ledger-document";
import type { AgentClaimEvent, AgentEvent } from "@berth/core/provision/desired-state";
import type { AuditDocument } from "../documents/documents.ts";
import type { Caller, ClaimBook } from "./claim-book.ts";
import { cardHost, openWorld, sourceHost, SOURCES, type TestWorld } from "./test-claims.ts";
import type { TestReplica } from "./test-replica.ts";

const CALLER: Caller = { principal: "olga" };

const worlds: TestWorld[] = [];
after(async () => {
  for (const world of worlds) await world.close();
});

interface Scene {
  readonly world: TestWorld;
  readonly book: ClaimBook;
  readonly replica: TestReplica;
  readonly claim: Claim;
}

/** A world with one claim on host `a`, held for ten seconds or being made. */
async function scene(parts: { readonly make?: true } = {}): Promise<Scene> {
  const world = await openWorld([sourceHost(), cardHost("a"), cardHost("b")]);
  worlds.push(world);
  const { book, replica } = await world.openBook();
  const body = { for: { host: "src", device: SOURCES[0] }, to: "a", ttlSeconds: 10, ...parts };
  const answer = await book.claim(body, CALLER);
  assert.equal(answer.kind, "granted");
  const { document } = replica.findClaim("claim" in answer ? answer.claim.id : "") ?? {};
  assert.ok(document);
  return { world, book, replica, claim: document };
}

function says({ claim }: Scene, ...events: readonly AgentClaimEvent[]): readonly AgentEvent[] {
  return events.map((event) => ({ claim: claim.id, event, fence: claim.fence }));
}

async function ledger({ world }: Scene): Promise<LedgerDocument> {
  const [found] = (await world.store.read({ key: "ledger/a" })).documents;
  return JSON.parse(found?.value ?? "") as LedgerDocument;
}

async function audit({ world }: Scene): Promise<readonly string[]> {
  const { documents } = await world.store.read({ key: "audit/", prefix: true });
  return documents.map(({ value }) => {
    const { principal, action } = JSON.parse(value) as AuditDocument;
    return `${principal}: ${action}`;
  });
}

describe("confirm()", () => {
  it("has a held claim made, and says so once", async () => {
    const one = await scene();
    const confirmed = await one.book.confirm(one.claim.id, CALLER);
    assert.deepEqual([confirmed.document.state, confirmed.document.expiresAtMs], ["provisioning", undefined]);
    assert.equal(one.replica.findClaim(one.claim.id)?.revision, confirmed.revision);
    assert.deepEqual(await one.book.confirm(one.claim.id, CALLER), confirmed);
    assert.deepEqual(await audit(one), ["olga: claim.create", "olga: claim.confirm"]);
  });

  it("comes too late for a claim that has ended", async () => {
    const one = await scene();
    await one.book.release(one.claim.id, CALLER);
    await assert.rejects(one.book.confirm(one.claim.id, CALLER), { code: "claim_ended" });
    await assert.rejects(one.book.confirm("none", CALLER), { code: "unknown_claim" });
  });

  it("decides on what another server wrote", async () => {
    const one = await scene();
    const other = await one.world.openBook();
    other.replica.pause();
    await one.book.release(one.claim.id, CALLER);
    const late = assert.rejects(other.book.confirm(one.claim.id, CALLER), { code: "claim_ended" });
    await late;
    other.replica.resume();
  });

  it("finds a claim that its replica does not show yet", async () => {
    const one = await scene();
    const other = await one.world.openBook();
    other.replica.pause();
    const body = { for: { host: "src", device: SOURCES[1] }, to: "a" };
    const answer = await one.book.claim(body, CALLER);
    const confirmed = other.book.confirm("claim" in answer ? answer.claim.id : "", CALLER);
    await new Promise((resolve) => setImmediate(resolve));
    other.replica.resume();
    assert.equal((await confirmed).document.state, "provisioning");
  });
});

describe("release()", () => {
  it("gives back the room of a claim that neither its replica nor the ledger there shows yet", async () => {
    const one = await scene();
    const other = await one.world.openBook();
    other.replica.pause();
    const body = { for: { host: "src", device: SOURCES[1] }, to: "a" };
    const answer = await one.book.claim(body, CALLER);
    const released = other.book.release("claim" in answer ? answer.claim.id : "", CALLER);
    setImmediate(() => other.replica.resume());
    assert.equal((await released).document.state, "released");
    assert.deepEqual(
      (await ledger(one)).entries.map(({ claim }) => claim),
      [one.claim.id],
    );
  });

  it("gives room back at once while no agent could have seen the claim", async () => {
    const one = await scene();
    const { document } = await one.book.release(one.claim.id, CALLER);
    assert.deepEqual([document.state, document.endedAtMs], ["released", one.world.nowMs]);
    assert.deepEqual(await ledger(one), { host: "a", fence: 1, entries: [] });
    assert.equal(
      (await one.book.release(one.claim.id, CALLER)).revision,
      one.replica.findClaim(one.claim.id)?.revision,
    );
  });

  it("keeps the room until the agent proves that nothing is left", async () => {
    const one = await scene({ make: true });
    await one.book.release(one.claim.id, CALLER);
    assert.equal((await ledger(one)).entries.length, 1);
    assert.deepEqual(await one.book.hear("a", says(one, "cleared")), [{ claim: one.claim.id, kind: "applied" }]);
    assert.equal((await ledger(one)).entries.length, 0);
    assert.equal(one.replica.view.findHost("a")?.ledger.length, 0);
  });

  it("refuses while a VM uses the devices", async () => {
    const one = await scene({ make: true });
    await one.book.hear("a", says(one, "provisioned", "attached"));
    await assert.rejects(one.book.release(one.claim.id, CALLER), { code: "claim_in_use" });
    await assert.rejects(one.book.release("none", CALLER), { code: "unknown_claim" });
  });
});

describe("repair()", () => {
  it("asks for it with a new fence, until the agent says that it is done", async () => {
    const one = await scene({ make: true });
    await assert.rejects(one.book.repair(one.claim.id, CALLER), { code: "claim_state" });
    await one.book.hear("a", says(one, "provisioned"));
    const { document } = await one.book.repair(one.claim.id, CALLER);
    assert.equal(document.fence, one.claim.fence + 1);
    assert.equal((await ledger(one)).fence, document.fence);
    assert.equal((await ledger(one)).entries[0]?.fence, document.fence);
    assert.equal(one.book.repairsDrift(one.claim.id), true);
    assert.equal((await one.book.repair(one.claim.id, CALLER)).document.fence, document.fence);
    const [old] = await one.book.hear("a", says(one, "provisioned"));
    assert.equal(old?.code, "claim_fence_stale");
    await one.book.hear("a", says({ ...one, claim: document }, "detached"));
    assert.equal(one.book.repairsDrift(one.claim.id), true);
    await one.book.hear("a", says({ ...one, claim: document }, "provisioned"));
    assert.equal(one.book.repairsDrift(one.claim.id), false);
  });

  it("is not for what has ended", async () => {
    const one = await scene();
    await one.book.release(one.claim.id, CALLER);
    await assert.rejects(one.book.repair(one.claim.id, CALLER), { code: "claim_state" });
    await assert.rejects(one.book.repair("none", CALLER), { code: "unknown_claim" });
  });
});

describe("hear()", () => {
  it("applies events in their order, all of them in one revision, each with its audit", async () => {
    const one = await scene({ make: true });
    const before = one.world.journal.revision;
    const answers = await one.book.hear("a", says(one, "provisioned", "attached", "detached"));
    assert.deepEqual(
      answers.map(({ kind }) => kind),
      ["applied", "applied", "applied"],
    );
    assert.equal(one.replica.findClaim(one.claim.id)?.document.state, "bound");
    assert.equal(one.world.journal.revision, before + 1);
    assert.deepEqual(
      (await audit(one)).slice(1),
      ["provisioned", "attached", "detached"].map((e) => `agent a: claim.${e}`),
    );
  });

  it("writes nothing for what it has heard", async () => {
    const one = await scene({ make: true });
    await one.book.hear("a", says(one, "provisioned"));
    const before = one.world.journal.revision;
    assert.equal((await one.book.hear("a", says(one, "provisioned")))[0]?.kind, "applied");
    assert.equal(one.world.journal.revision, before);
  });

  it("answers each event by itself", async () => {
    const one = await scene({ make: true });
    const events = [
      { claim: "none", event: "provisioned", fence: 1 },
      { claim: one.claim.id, event: "provisioned", fence: 99 },
      { claim: one.claim.id, event: "refused", fence: 1, reason: { code: "ENOSPC", text: "no space" } },
      { claim: one.claim.id, event: "attached", fence: 1 },
      { claim: "__proto__", event: "attached", fence: 1 },
    ] as const;
    const codes = (await one.book.hear("a", events)).map(({ kind, code }) => code ?? kind);
    assert.deepEqual(codes, ["unknown_claim", "claim_fence_stale", "applied", "claim_ended", "unknown_claim"]);
    assert.equal(one.replica.findClaim(one.claim.id)?.document.reason?.code, "ENOSPC");
    assert.equal((await ledger(one)).entries.length, 0);
  });

  it("does not let a host speak of another's claims", async () => {
    const one = await scene({ make: true });
    assert.equal((await one.book.hear("b", says(one, "refused")))[0]?.code, "unknown_claim");
    assert.equal(one.replica.findClaim(one.claim.id)?.document.state, "provisioning");
  });

  it("takes in more events than one transaction holds", async () => {
    const one = await scene({ make: true });
    const events = Array.from({ length: 50 }, (_, at) => says(one, at % 2 === 0 ? "attached" : "detached")).flat();
    const answers = await one.book.hear("a", [...says(one, "provisioned"), ...events]);
    assert.equal(answers.filter(({ kind }) => kind === "applied").length, 51);
    assert.equal(one.replica.findClaim(one.claim.id)?.document.state, "bound");
    assert.equal((await audit(one)).length, 52);
  });

  it("does not mistake an old claim for a new one where its replica is behind", async () => {
    const one = await scene({ make: true });
    const other = await one.world.openBook();
    await one.book.hear("a", says(one, "provisioned", "attached"));
    await other.replica.reached(one.world.journal.revision);
    other.replica.pause();
    await one.book.hear("a", says(one, "detached"));
    const heard = other.book.hear("a", says(one, "attached"));
    await new Promise((resolve) => setImmediate(resolve));
    other.replica.resume();
    assert.equal((await heard)[0]?.kind, "applied");
    assert.equal(other.replica.findClaim(one.claim.id)?.document.state, "attached");
  });

  it("cuts what an agent says too much", async () => {
    const one = await scene({ make: true });
    const reason = { code: "x".repeat(5000), text: "y".repeat(100_000) };
    await one.book.hear("a", [{ claim: one.claim.id, event: "refused", fence: 1, reason }]);
    assert.ok(JSON.stringify(one.replica.findClaim(one.claim.id)?.document).length < 4000);
  });
});

describe("fence()", () => {
  it("ends every claim of the host, whatever its state, and no other", async () => {
    const one = await scene({ make: true });
    const held = await one.book.claim({ for: { host: "src", device: SOURCES[1] }, to: "a" }, CALLER);
    const other = await one.book.claim({ for: { host: "src", device: SOURCES[2] }, to: "b" }, CALLER);
    await one.book.hear("a", says(one, "provisioned", "attached"));
    const ids = [one.claim.id, "claim" in held ? held.claim.id : ""].toSorted();
    assert.deepEqual(await one.book.fence("a", CALLER), ids);
    assert.deepEqual(
      ids.map((id) => one.replica.findClaim(id)?.document.state),
      ["failed", "failed"],
    );
    assert.deepEqual(ledgerOccupants(await ledger(one)), []);
    assert.equal(one.replica.findClaim("claim" in other ? other.claim.id : "")?.document.state, "held");
    assert.deepEqual(await one.book.fence("a", CALLER), []);
    assert.equal((await audit(one)).filter((line) => line === "olga: claim.fence").length, 2);
    await assert.rejects(one.book.fence("none", CALLER), { code: "unknown_host" });
  });

  it("ends claims that its replica does not show yet", async () => {
    const one = await scene();
    const other = await one.world.openBook();
    other.replica.pause();
    await one.book.claim({ for: { host: "src", device: SOURCES[1] }, to: "a" }, CALLER);
    const fenced = other.book.fence("a", CALLER);
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    other.replica.resume();
    assert.equal((await fenced).length, 2);
  });
});

describe("raiseFence()", () => {
  it("raises and never lowers, and new claims go on from there", async () => {
    const one = await scene();
    await one.book.raiseFence("a", 40);
    await one.book.raiseFence("a", 7);
    assert.equal((await ledger(one)).fence, 40);
    assert.equal((await ledger(one)).entries.length, 1);
    const answer = await one.book.claim({ for: { host: "src", device: SOURCES[1] }, to: "a" }, CALLER);
    assert.equal("claim" in answer ? answer.claim.fence : 0, 41);
    assert.ok((await audit(one)).includes("agent a: host.raise-fence"));
  });

  it("takes no fence that would end all counting", async () => {
    const one = await scene();
    for (const fence of [-1, 1.5, Number.NaN, 2 ** 53])
      await assert.rejects(one.book.raiseFence("a", fence), RangeError);
  });
});

describe("expire()", () => {
  it("ends only held claims whose time has run out", async () => {
    const one = await scene();
    const made = await one.book.claim({ for: { host: "src", device: SOURCES[1] }, to: "a", make: true }, CALLER);
    one.world.nowMs += 9_999;
    assert.equal(await one.book.expire(undefined), 0);
    one.world.nowMs += 1;
    assert.equal(await one.book.expire(undefined), 1);
    assert.equal(one.replica.findClaim(one.claim.id)?.document.state, "expired");
    one.world.nowMs += 10 ** 9;
    assert.equal(await one.book.expire(undefined), 0);
    assert.equal(one.replica.findClaim("claim" in made ? made.claim.id : "")?.document.state, "provisioning");
    assert.equal((await ledger(one)).entries.length, 1);
    assert.ok((await audit(one)).includes("berth: claim.expire"));
  });

  it("does nothing once another replica does it", async () => {
    const one = await scene();
    const revision = await one.world.put({ kind: "put", key: "singleton/expiry", value: "{}" });
    one.world.nowMs += 10_000;
    assert.equal(await one.book.expire({ key: "singleton/expiry", revision: revision - 1 }), 0);
    assert.equal(one.replica.findClaim(one.claim.id)?.document.state, "held");
    assert.equal(await one.book.expire({ key: "singleton/expiry", revision }), 1);
  });

  it("and confirm at the same moment: one is written, the other sees it", async () => {
    const one = await scene();
    const other = await one.world.openBook();
    one.world.nowMs += 10_000;
    const [ended, confirmed] = await Promise.allSettled([
      one.book.expire(undefined),
      other.book.confirm(one.claim.id, CALLER),
    ]);
    assert.equal(ended.status, "fulfilled");
    const isExpired = ended.status === "fulfilled" && ended.value === 1;
    assert.equal(confirmed.status, isExpired ? "rejected" : "fulfilled");
  });
});
