// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import type { Transaction, TransactionAnswer } from "../store.ts";
import { fromBytes, parseRoot } from "./etcd-key.ts";
import type { EtcdMessage } from "./etcd-messages.ts";
import { schemaOf } from "./etcd-messages.ts";
import type { Init } from "./etcd-methods.ts";
import { OperationSlots } from "./operation-slots.ts";
import type { TransactContext } from "./transact-etcd.ts";
import { transactEtcd } from "./transact-etcd.ts";

const SPACE = parseRoot("berth/1/");

/** What becomes of one request on its way. `late`: it is done after so many further requests, long given up. */
type Fate = "arrives" | "arrives twice" | "request lost" | "answer lost" | { readonly late: number };

interface Entry {
  readonly value: string;
  readonly created: bigint;
  readonly revision: bigint;
}

/** Transactions of etcd, on a map. */
class ModelEtcd {
  readonly entries: Map<string, Entry> = new Map();
  /** Key and value of every write below the documents, in order. */
  readonly history: string[] = [];
  asked = 0;
  revision = 1n;
  #fates: Fate[];
  #waiting: { left: number; readonly request: Init<"TxnRequest"> }[] = [];

  constructor(fates: readonly Fate[]) {
    this.#fates = [...fates];
  }

  async ask(request: Init<"TxnRequest">): Promise<EtcdMessage<"TxnResponse">> {
    await Promise.resolve();
    this.asked += 1;
    for (const one of this.#waiting) one.left -= 1;
    const due = this.#waiting.filter(({ left }) => left < 0);
    this.#waiting = this.#waiting.filter(({ left }) => left >= 0);
    for (const one of due) this.run(one.request);
    const fate = this.#fates.shift() ?? "arrives";
    if (typeof fate === "object") this.#waiting.push({ left: fate.late, request });
    if (typeof fate === "object" || fate === "request lost") throw new ConnectError("lost", Code.Unavailable);
    if (fate === "arrives twice") this.run(request);
    const answer = this.run(request);
    if (fate === "answer lost") throw new ConnectError("lost", Code.DeadlineExceeded);
    return answer;
  }

  /** Everything that was still on its way arrives. */
  deliverAll(): void {
    for (const { request } of this.#waiting.splice(0)) this.run(request);
  }

  run(init: Init<"TxnRequest">): EtcdMessage<"TxnResponse"> {
    const request = create(schemaOf("TxnRequest"), init);
    const at = this.revision + 1n;
    const before = this.history.length;
    const writes = { count: 0 };
    const answer = this.#runNested(request, at, writes);
    if (writes.count > 0) this.revision = at;
    assert.ok(writes.count > 0 || this.history.length === before);
    const header = create(schemaOf("ResponseHeader"), { clusterId: 1n, revision: this.revision });
    return create(schemaOf("TxnResponse"), { ...answer, header });
  }

  #runNested(request: EtcdMessage<"TxnRequest">, at: bigint, writes: { count: number }): Init<"TxnResponse"> {
    const succeeded = request.compare.every(({ key, target, modRevision, createRevision }) => {
      const entry = this.entries.get(fromBytes(key));
      return target === 2 ? (entry?.revision ?? 0n) === modRevision : (entry?.created ?? 0n) === createRevision;
    });
    const operations = succeeded ? request.success : request.failure;
    return { succeeded, responses: operations.map((one) => this.#runOperation(one, at, writes)) };
  }

  #runOperation(operation: EtcdMessage<"RequestOp">, at: bigint, writes: { count: number }): Init<"ResponseOp"> {
    const { range, put, deleteRange, txn } = operation;
    if (txn !== undefined) return { txn: this.#runNested(txn, at, writes) };
    const name = fromBytes((range ?? put ?? deleteRange)?.key ?? new Uint8Array());
    const entry = this.entries.get(name);
    if (put !== undefined) {
      const value = fromBytes(put.value);
      this.entries.set(name, { value, created: entry?.created ?? at, revision: at });
      this.#note(name, value, writes);
    }
    if (deleteRange !== undefined && this.entries.delete(name)) this.#note(name, "-", writes);
    if (range === undefined || entry === undefined) return range === undefined ? {} : { range: {} };
    const kv = { key: range.key, value: Buffer.from(entry.value), modRevision: entry.revision };
    return { range: { kvs: [{ ...kv, value: Uint8Array.from(kv.value), createRevision: entry.created }] } };
  }

  #note(name: string, value: string, writes: { count: number }): void {
    writes.count += 1;
    if (name.startsWith(`${SPACE.root}d/`)) this.history.push(`${name.slice(SPACE.root.length + 2)}=${value}`);
  }
}

function contextOf(etcd: ModelEtcd): TransactContext {
  return {
    space: SPACE,
    slots: new OperationSlots(
      SPACE,
      async () => {},
      () => 0,
    ),
    tryTxn: async (request) => await etcd.ask(request),
    rest: async () => {},
    now: () => 0,
    deadlineMs: 1,
    isClosed: () => false,
  };
}

const fate: fc.Arbitrary<Fate> = fc.oneof(
  fc.constantFrom<Fate>("arrives", "arrives twice", "request lost", "answer lost"),
  fc.record({ late: fc.nat({ max: 6 }) }),
);
const fates = fc.array(fate, { maxLength: 30 });

function put(key: string, value: string): Transaction["writes"][number] {
  return { kind: "put", key, value };
}

describe("transactEtcd() on a bad network", () => {
  test("P1: a compare-and-swap lands once, and never fails against its own success", async () => {
    await fc.assert(
      fc.asyncProperty(fates, async (drawn) => {
        const etcd = new ModelEtcd(drawn);
        const context = contextOf(etcd);
        let revision = 0;
        for (let at = 0; at < 5; at += 1) {
          const compares =
            at === 0 ? [{ kind: "absent", key: "a" } as const] : [{ kind: "revision", key: "a", revision } as const];
          const answer = await transactEtcd(context, { compares, writes: [put("a", String(at))] });
          assert.equal(answer.kind, "written");
          revision = answer.revision;
          assert.equal(etcd.entries.get("berth/1/d/a")?.revision, BigInt(revision));
        }
        etcd.deliverAll();
        assert.deepEqual(etcd.history, ["a=0", "a=1", "a=2", "a=3", "a=4"]);
      }),
      { numRuns: 200 },
    );
  });
  test("P2: writes without a compare happen once each, in order, whatever comes late", async () => {
    await fc.assert(
      fc.asyncProperty(fates, async (drawn) => {
        const etcd = new ModelEtcd(drawn);
        const context = contextOf(etcd);
        await transactEtcd(context, { compares: [], writes: [put("a", "1")] });
        await transactEtcd(context, { compares: [], writes: [{ kind: "delete", key: "a" }] });
        await transactEtcd(context, { compares: [], writes: [put("a", "2"), put("b", "2")] });
        await transactEtcd(context, { compares: [], writes: [{ kind: "delete", key: "none" }] });
        etcd.deliverAll();
        assert.deepEqual(etcd.history, ["a=1", "a=-", "a=2", "b=2"]);
      }),
      { numRuns: 200 },
    );
  });
  test("P3: a conflict that was told stays one, also when what stood in the way goes", async () => {
    await fc.assert(
      fc.asyncProperty(fates, async (drawn) => {
        const etcd = new ModelEtcd(drawn);
        const context = contextOf(etcd);
        await transactEtcd(context, { compares: [], writes: [put("a", "first")] });
        const late: Transaction = { compares: [{ kind: "absent", key: "a" }], writes: [put("a", "late")] };
        const answer = await transactEtcd(context, late);
        assert.equal(answer.kind, "conflict");
        await transactEtcd(contextOf(etcd), { compares: [], writes: [{ kind: "delete", key: "a" }] });
        etcd.deliverAll();
        assert.equal(etcd.entries.has("berth/1/d/a"), false);
      }),
      { numRuns: 200 },
    );
  });
  test("P4: many at once agree with their answers", async () => {
    await fc.assert(
      fc.asyncProperty(fates, async (drawn) => {
        const etcd = new ModelEtcd(drawn);
        const context = contextOf(etcd);
        const answers = await Promise.all(
          Array.from({ length: 6 }, async (_, at): Promise<TransactionAnswer> => {
            const compares = [{ kind: "absent", key: "a" }] as const;
            return await transactEtcd(context, { compares, writes: [put("a", String(at))] });
          }),
        );
        etcd.deliverAll();
        const winners = answers.flatMap(({ kind }, at) => (kind === "written" ? [`a=${at}`] : []));
        assert.deepEqual(etcd.history, winners);
        assert.equal(winners.length, 1);
      }),
      { numRuns: 200 },
    );
  });
});

describe("transactEtcd()", () => {
  test("gives up by its deadline, and says that the end is open", async () => {
    const etcd = new ModelEtcd(Array.from({ length: 100 }, () => "request lost" as const));
    let now = 0;
    const context = { ...contextOf(etcd), now: () => (now += 1), deadlineMs: 20 };
    const writing = transactEtcd(context, { compares: [], writes: [put("a", "1")] });
    await assert.rejects(writing, { code: "store_unavailable" });
    assert.deepEqual(etcd.history, []);
    assert.ok(etcd.asked < 25, `asked ${etcd.asked} times`);
  });
  test("writes nothing, not even its slot, where there is nothing to delete", async () => {
    const etcd = new ModelEtcd([]);
    const context = contextOf(etcd);
    const { revision } = await transactEtcd(context, { compares: [], writes: [put("a", "1")] });
    const none = { compares: [], writes: [{ kind: "delete", key: "none" }] } as const;
    assert.deepEqual(await transactEtcd(context, none), { kind: "written", revision });
    assert.deepEqual(await transactEtcd(context, none), { kind: "written", revision });
    const some: Transaction = { compares: [], writes: [{ kind: "delete", key: "a" }, ...none.writes] };
    assert.deepEqual(await transactEtcd(context, some), { kind: "written", revision: revision + 1 });
    assert.equal(etcd.entries.size, 1);
  });
  test("takes revision 0 for the revision of no document", async () => {
    const etcd = new ModelEtcd([]);
    const compares = [{ kind: "revision", key: "a", revision: 0 }] as const;
    for (const writes of [[], [put("a", "1")]]) {
      const answer = await transactEtcd(contextOf(etcd), { compares, writes });
      assert.deepEqual(answer, { kind: "conflict", failed: [{ key: "a" }], revision: 1 });
    }
  });
  test("takes another slot where its own was taken away", async () => {
    const etcd = new ModelEtcd([]);
    const context = contextOf(etcd);
    await transactEtcd(context, { compares: [], writes: [put("a", "1")] });
    for (const key of etcd.entries.keys()) if (key.startsWith("berth/1/op/")) etcd.entries.delete(key);
    const answer = await transactEtcd(context, { compares: [], writes: [put("a", "2")] });
    assert.equal(answer.kind, "written");
    assert.deepEqual(etcd.history, ["a=1", "a=2"]);
  });
  test("keeps to one slot while one follows the other, and takes one each while they overlap", async () => {
    const etcd = new ModelEtcd([]);
    const context = contextOf(etcd);
    const slots = (): number => [...etcd.entries.keys()].filter((key) => key.startsWith("berth/1/op/")).length;
    for (let at = 0; at < 5; at += 1) await transactEtcd(context, { compares: [], writes: [put("a", String(at))] });
    assert.equal(slots(), 1);
    await Promise.all(
      [1, 2, 3].map(async (at) => await transactEtcd(context, { compares: [], writes: [put("a", String(at))] })),
    );
    assert.equal(slots(), 3);
  });
});
