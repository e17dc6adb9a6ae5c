// SPDX-License-Identifier: Apache-2.0

import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import type { DescMethodBiDiStreaming, DescMethodUnary } from "@bufbuild/protobuf";
import type { EtcdSchema, MessageName } from "./etcd-messages.ts";
import { ETCD_REGISTRY } from "./etcd-messages.ts";

/** A method with one request and one answer. */
export type UnaryMethod<I extends MessageName, O extends MessageName> = DescMethodUnary<EtcdSchema<I>, EtcdSchema<O>>;
/** A method with a stream in each direction. */
export type StreamMethod<I extends MessageName, O extends MessageName> = DescMethodBiDiStreaming<
  EtcdSchema<I>,
  EtcdSchema<O>
>;
/** What a message is made from: fields that are left out are not sent. */
export type Init<N extends MessageName> = MessageInitShape<EtcdSchema<N>>;

export const RANGE: UnaryMethod<"RangeRequest", "RangeResponse"> = findMethod("KV", "Range");
export const TXN: UnaryMethod<"TxnRequest", "TxnResponse"> = findMethod("KV", "Txn");
export const COMPACT: UnaryMethod<"CompactionRequest", "CompactionResponse"> = findMethod("KV", "Compact");
export const WATCH: StreamMethod<"WatchRequest", "WatchResponse"> = findMethod("Watch", "Watch");
export const LEASE_GRANT: UnaryMethod<"LeaseGrantRequest", "LeaseGrantResponse"> = findMethod("Lease", "LeaseGrant");
export const LEASE_REVOKE: UnaryMethod<"LeaseRevokeRequest", "LeaseRevokeResponse"> = findMethod(
  "Lease",
  "LeaseRevoke",
);
export const LEASE_KEEP_ALIVE: StreamMethod<"LeaseKeepAliveRequest", "LeaseKeepAliveResponse"> = findMethod(
  "Lease",
  "LeaseKeepAlive",
);
export const STATUS: UnaryMethod<"StatusRequest", "StatusResponse"> = findMethod("Maintenance", "Status");

function findMethod<M extends DescMethodUnary<DescMessage, DescMessage> | DescMethodBiDiStreaming>(
  service: string,
  name: string,
): M {
  const method = ETCD_REGISTRY.getService(`etcdserverpb.${service}`)?.methods.find((one) => one.name === name);
  if (method === undefined) throw new Error(`There is no method ${service}/${name}`);
  return method as unknown as M;
}
