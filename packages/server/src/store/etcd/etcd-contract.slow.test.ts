// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import { after, test } from "node:test";
import { testStore } from "../store.contract.ts";
import { openEtcdStore } from "./etcd-store.ts";
import { findEtcd, startEtcd } from "./started-etcd.ts";

const program = await findEtcd();
if (program.kind === "missing") {
  test("the store over etcd keeps the contract", { skip: program.reason }, () => {});
} else {
  const etcd = await startEtcd({ path: program.path, count: 1 });
  after(async () => await etcd.stop());
  testStore("the store over etcd", async () => {
    // A root of its own is an empty store.
    const options = { endpoints: etcd.endpoints, root: `contract/${randomUUID()}/` };
    const stores = [await openEtcdStore(options)];
    const close = async (): Promise<void> => {
      await Promise.all(stores.map(async (store) => await store.close()));
    };
    const reopen = async (): Promise<(typeof stores)[number]> => {
      await close();
      const store = await openEtcdStore(options);
      stores.push(store);
      return store;
    };
    const store = stores[0];
    if (store === undefined) throw new Error("There is no store");
    return { store, reopen, close };
  });
}
