// SPDX-License-Identifier: Apache-2.0

import { randomBytes } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BerthError } from "@berth/core/protocol/berth-error";
import { openEtcdStore } from "@berth/server/store/etcd/etcd-store";
import { openSqliteStore } from "@berth/server/store/sqlite/sqlite-store";
import type { Store } from "@berth/server/store/store";
import type { StoreOptions } from "../commands/server-run.ts";
import { readTextFile } from "../input/json-file.ts";

/** The store of a server. */
export interface OpenedStore {
  readonly store: Store;
  /** For people. */
  readonly name: string;
  /** Writes the store as it is at one moment to a new file, and answers its path; absent where others keep the store. */
  readonly backup?: () => Promise<string>;
}

/** Opens the cluster that is named, else the file in the data directory. Throws BerthError store_* and usage_*. */
export async function openStore(options: StoreOptions, directory: string): Promise<OpenedStore> {
  if (options.etcd.length > 0) {
    return { store: await openCluster(options), name: `etcd ${options.etcd.join(", ")}` };
  }
  if (options.etcdCa !== undefined || options.etcdCert !== undefined || options.etcdKey !== undefined) {
    throw new BerthError("usage_missing_argument", "Files for etcd are given, and no member of a cluster", {
      place: "--etcd",
      expected: "--etcd URL",
    });
  }
  const store = await openSqliteStore({ directory });
  // The directory is locked by now: nobody else is writing one.
  removeLeftCopies(directory);
  return {
    store,
    name: join(directory, "store.sqlite"),
    backup: async () => {
      const path = join(directory, `backup-${randomBytes(8).toString("hex")}.tmp`);
      await store.backup(path);
      return path;
    },
  };
}

/** Copies that a server was killed over are nobody's, and each is as large as the store. */
function removeLeftCopies(directory: string): void {
  const left = readdirSync(directory).filter((name) => /^backup-[0-9a-f]{16}\.tmp/.test(name));
  for (const name of left) rmSync(join(directory, name), { force: true });
}

async function openCluster({ etcd, etcdCa, etcdCert, etcdKey }: StoreOptions): Promise<Store> {
  const read = (path: string | undefined): string | undefined => (path === undefined ? undefined : readTextFile(path));
  const [ca, cert, key] = [read(etcdCa), read(etcdCert), read(etcdKey)];
  const tls = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  try {
    return await openEtcdStore({ endpoints: etcd, ...(Object.keys(tls).length === 0 ? {} : { tls }) });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new BerthError("usage_bad_value", error.message, { place: "--etcd", expected: "docs/etcd.md", cause: error });
  }
}
