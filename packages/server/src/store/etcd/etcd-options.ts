// SPDX-License-Identifier: Apache-2.0

import type { Interceptor } from "@connectrpc/connect";
import { parseRoot } from "./etcd-key.ts";
import type { KeySpace } from "./etcd-key.ts";

/** What the store needs to know of an etcd cluster. */
export interface EtcdOptions {
  /** `http://host:port` or `https://host:port`, one for each member. */
  readonly endpoints: readonly string[];
  /** PEM texts, for `https` endpoints. */
  readonly tls?: EtcdTls;
  /** Where Berth's keys stand; `berth/1/` where none is given. */
  readonly root?: string;
  /** After so long without an answer the next member is asked. 3 s where none is given. */
  readonly attemptMs?: number;
  /** After so long a call fails with `store_unavailable`. 15 s where none is given. */
  readonly deadlineMs?: number;
  /** Lets tests lose answers and requests. */
  readonly interceptors?: readonly Interceptor[];
}

export interface EtcdTls {
  /** Who may have signed the members' certificates; absent: the authorities that Node trusts. */
  readonly ca?: string;
  /** What this client shows, together with `key`. */
  readonly cert?: string;
  readonly key?: string;
}

/** Options that were checked, with their defaults. */
export interface EtcdSettings {
  readonly endpoints: readonly string[];
  readonly tls: EtcdTls;
  readonly space: KeySpace;
  readonly attemptMs: number;
  readonly deadlineMs: number;
  readonly interceptors: readonly Interceptor[];
}

const DEFAULT_ROOT = "berth/1/";

/**
 * Checks the options.
 *
 * @throws RangeError for no endpoint, one that is no address of a member, TLS texts beside a plain one (they would protect
 * nothing), a certificate without its key, or a time that is no count of milliseconds.
 */
export function parseEtcdOptions(options: EtcdOptions): EtcdSettings {
  const { tls = {}, root = DEFAULT_ROOT, attemptMs = 3000, deadlineMs = 15_000, interceptors = [] } = options;
  const endpoints = [...new Set(options.endpoints.map(parseEndpoint))];
  if (endpoints.length === 0) throw new RangeError("An etcd store needs at least one endpoint");
  const plain = endpoints.find((endpoint) => endpoint.startsWith("http:"));
  if (plain !== undefined && Object.values(tls).some((text) => text !== undefined)) {
    throw new RangeError(`TLS is asked for, and ${JSON.stringify(plain)} is an address without it`);
  }
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw new RangeError("A client certificate and its key are given together");
  }
  for (const ms of [attemptMs, deadlineMs]) {
    if (!Number.isSafeInteger(ms) || ms <= 0) throw new RangeError(`A time is a count of milliseconds, not ${ms}`);
  }
  return { endpoints, tls, space: parseRoot(root), attemptMs, deadlineMs, interceptors };
}

function parseEndpoint(text: string): string {
  const url = URL.parse(text);
  const fits = url !== null && /^https?:$/.test(url.protocol) && url.hostname !== "" && url.username === "";
  if (!fits || url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    const shown = JSON.stringify(text.slice(0, 80));
    throw new RangeError(`An endpoint is http://host:port or https://host:port, not ${shown}`);
  }
  return url.origin;
}
