// SPDX-License-Identifier: Apache-2.0

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";

import { ManualAlarm } from "../memory/manual-alarm.ts";
import { testStore } from "../store.contract.ts";
import { openSqliteStore } from "./sqlite-store.ts";

testStore("the embedded store", async () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "berth-store-"));
  const alarm = new ManualAlarm();
  let store = await openSqliteStore({ directory, alarm: alarm.set });
  return {
    store,
    reopen: async () => {
      await store.close();
      store = await openSqliteStore({ directory, alarm: alarm.set });
      return store;
    },
    advance: async (ms) => {
      alarm.advance(ms);
      await nextTurn();
    },
    close: async () => {
      await store.close();
      fs.rmSync(directory, { recursive: true });
    },
  };
});
