// SPDX-License-Identifier: Apache-2.0

import type { Message } from "@bufbuild/protobuf";
import { create, createFileRegistry } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import type { DescriptorProto, FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import {
  DescriptorProtoSchema,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  MethodDescriptorProtoSchema,
  ServiceDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import type { FileRegistry } from "@bufbuild/protobuf";

/**
 * The messages of etcd's gRPC API v3 that the store speaks, field by field: number on the wire and type (`[]`: repeated).
 * Numbers are etcd's; fields that are never sent nor read are left out, and an answer's unknown fields are passed over.
 * What etcd declares as a choice (`oneof`) stands here as fields of which one is set: on the wire it is the same.
 */
const MESSAGES = {
  /** Comes with every answer. `revision`: of the whole cluster, when the answer was made. */
  ResponseHeader: {
    clusterId: [1, "uint64"],
    memberId: [2, "uint64"],
    revision: [3, "int64"],
    raftTerm: [4, "uint64"],
  },
  KeyValue: {
    key: [1, "bytes"],
    createRevision: [2, "int64"],
    modRevision: [3, "int64"],
    version: [4, "int64"],
    value: [5, "bytes"],
    lease: [6, "int64"],
  },
  /** Of one key, or of all from `key` to before `rangeEnd`; at a past revision where one is given. */
  RangeRequest: { key: [1, "bytes"], rangeEnd: [2, "bytes"], limit: [3, "int64"], revision: [4, "int64"] },
  RangeResponse: { header: [1, "ResponseHeader"], kvs: [2, "KeyValue[]"], more: [3, "bool"], count: [4, "int64"] },
  PutRequest: { key: [1, "bytes"], value: [2, "bytes"], lease: [3, "int64"] },
  PutResponse: { header: [1, "ResponseHeader"] },
  DeleteRangeRequest: { key: [1, "bytes"] },
  DeleteRangeResponse: { header: [1, "ResponseHeader"], deleted: [2, "int64"] },
  /** `result` 0: equal. `target` 1: revision that made the key, 2: that wrote it last; 0 for a key that is not there. */
  Compare: {
    result: [1, "int32"],
    target: [2, "int32"],
    key: [3, "bytes"],
    createRevision: [5, "int64"],
    modRevision: [6, "int64"],
  },
  RequestOp: {
    range: [1, "RangeRequest"],
    put: [2, "PutRequest"],
    deleteRange: [3, "DeleteRangeRequest"],
    txn: [4, "TxnRequest"],
  },
  ResponseOp: {
    range: [1, "RangeResponse"],
    put: [2, "PutResponse"],
    deleteRange: [3, "DeleteRangeResponse"],
    txn: [4, "TxnResponse"],
  },
  /** `success` where every compare holds, else `failure`; one revision for all that it writes. */
  TxnRequest: { compare: [1, "Compare[]"], success: [2, "RequestOp[]"], failure: [3, "RequestOp[]"] },
  TxnResponse: { header: [1, "ResponseHeader"], succeeded: [2, "bool"], responses: [3, "ResponseOp[]"] },
  CompactionRequest: { revision: [1, "int64"], physical: [2, "bool"] },
  CompactionResponse: { header: [1, "ResponseHeader"] },
  WatchRequest: { create: [1, "WatchCreateRequest"] },
  /** Field 8 (`fragment`) is left out on purpose: without it a revision is never split over answers. */
  WatchCreateRequest: {
    key: [1, "bytes"],
    rangeEnd: [2, "bytes"],
    startRevision: [3, "int64"],
    progressNotify: [4, "bool"],
  },
  WatchResponse: {
    header: [1, "ResponseHeader"],
    watchId: [2, "int64"],
    created: [3, "bool"],
    canceled: [4, "bool"],
    compactRevision: [5, "int64"],
    cancelReason: [6, "string"],
    events: [11, "Event[]"],
  },
  /** `type` 0: put, 1: delete (then `kv` holds the key and the revision alone). */
  Event: { type: [1, "int32"], kv: [2, "KeyValue"] },
  /** Seconds. An id that the asker chose makes a repeated request recognisable. */
  LeaseGrantRequest: { ttl: [1, "int64"], id: [2, "int64"] },
  LeaseGrantResponse: { header: [1, "ResponseHeader"], id: [2, "int64"], ttl: [3, "int64"], error: [4, "string"] },
  LeaseRevokeRequest: { id: [1, "int64"] },
  LeaseRevokeResponse: { header: [1, "ResponseHeader"] },
  LeaseKeepAliveRequest: { id: [1, "int64"] },
  /** `ttl` 0 or less: the lease has ended. */
  LeaseKeepAliveResponse: { header: [1, "ResponseHeader"], id: [2, "int64"], ttl: [3, "int64"] },
  StatusRequest: {},
  StatusResponse: {
    header: [1, "ResponseHeader"],
    version: [2, "string"],
    dbSize: [3, "int64"],
    leader: [4, "uint64"],
    errors: [8, "string[]"],
    dbSizeInUse: [9, "int64"],
  },
} as const;

/** Services and their methods: name, request, answer, and whether both sides are streams. */
const SERVICES = {
  KV: {
    Range: ["RangeRequest", "RangeResponse", "unary"],
    Txn: ["TxnRequest", "TxnResponse", "unary"],
    Compact: ["CompactionRequest", "CompactionResponse", "unary"],
  },
  Watch: { Watch: ["WatchRequest", "WatchResponse", "streams"] },
  Lease: {
    LeaseGrant: ["LeaseGrantRequest", "LeaseGrantResponse", "unary"],
    LeaseRevoke: ["LeaseRevokeRequest", "LeaseRevokeResponse", "unary"],
    LeaseKeepAlive: ["LeaseKeepAliveRequest", "LeaseKeepAliveResponse", "streams"],
  },
  Maintenance: { Status: ["StatusRequest", "StatusResponse", "unary"] },
} as const;

/** The name of a message. */
export type MessageName = keyof typeof MESSAGES;

interface Scalars {
  bytes: Uint8Array<ArrayBuffer>;
  bool: boolean;
  int32: number;
  int64: bigint;
  uint64: bigint;
  string: string;
}

type ValueOf<T> = T extends `${infer One}[]`
  ? ValueOf<One>[]
  : T extends keyof Scalars
    ? Scalars[T]
    : T extends MessageName
      ? EtcdMessage<T>
      : never;
type TypeOf<Field> = Field extends readonly [number, infer T] ? T : never;
type Table<N extends MessageName> = (typeof MESSAGES)[N];
type Nested<N extends MessageName> = {
  [F in keyof Table<N>]: TypeOf<Table<N>[F]> extends MessageName ? F : never;
}[keyof Table<N>];

/** One message: numbers and texts that were not sent have their zero, messages that were not sent are absent. */
export type EtcdMessage<N extends MessageName> = Message<`etcdserverpb.${N}`> & {
  [F in Exclude<keyof Table<N>, Nested<N>>]: ValueOf<TypeOf<Table<N>[F]>>;
} & { [F in Nested<N>]?: ValueOf<TypeOf<Table<N>[F]>> };

/** What a message is coded by. */
export type EtcdSchema<N extends MessageName> = GenMessage<EtcdMessage<N>>;

const PACKAGE = "etcdserverpb";

const SCALAR_TYPES: ReadonlyMap<string, FieldDescriptorProto_Type> = new Map([
  ["bytes", FieldDescriptorProto_Type.BYTES],
  ["bool", FieldDescriptorProto_Type.BOOL],
  ["int32", FieldDescriptorProto_Type.INT32],
  ["int64", FieldDescriptorProto_Type.INT64],
  ["uint64", FieldDescriptorProto_Type.UINT64],
  ["string", FieldDescriptorProto_Type.STRING],
]);

const REGISTRY: FileRegistry = createFileRegistry(describeFile(), () => undefined);

/** The schema of a message, for `create()`, `toBinary()` and `fromBinary()`. */
export function schemaOf<N extends MessageName>(name: N): EtcdSchema<N> {
  const found = REGISTRY.getMessage(`${PACKAGE}.${name}`);
  if (found === undefined) throw new Error(`There is no message ${name}`);
  // The table that the type is drawn from is the one that the schema is made of.
  return found as unknown as EtcdSchema<N>;
}

/** The services' descriptors, as the transport wants them. */
export const ETCD_REGISTRY: FileRegistry = REGISTRY;

function describeFile(): FileDescriptorProto {
  return create(FileDescriptorProtoSchema, {
    name: "etcd.proto",
    package: PACKAGE,
    // Version 2 of the language sends a field that was set to zero, and its bytes are those of version 3 otherwise.
    syntax: "proto2",
    messageType: Object.entries(MESSAGES).map(([name, fields]) => describeMessage(name, fields)),
    service: Object.entries(SERVICES).map(([name, methods]) =>
      create(ServiceDescriptorProtoSchema, {
        name,
        method: Object.entries(methods).map(([method, [input, output, kind]]) =>
          create(MethodDescriptorProtoSchema, {
            name: method,
            inputType: `.${PACKAGE}.${input}`,
            outputType: `.${PACKAGE}.${output}`,
            clientStreaming: kind === "streams",
            serverStreaming: kind === "streams",
          }),
        ),
      }),
    ),
  });
}

function describeMessage(name: string, fields: Readonly<Record<string, readonly [number, string]>>): DescriptorProto {
  const field = Object.entries(fields).map(([fieldName, [number, text]]) => {
    const repeated = text.endsWith("[]");
    const one = repeated ? text.slice(0, -2) : text;
    const scalar = SCALAR_TYPES.get(one);
    return create(FieldDescriptorProtoSchema, {
      name: fieldName,
      number,
      label: repeated ? FieldDescriptorProto_Label.REPEATED : FieldDescriptorProto_Label.OPTIONAL,
      type: scalar ?? FieldDescriptorProto_Type.MESSAGE,
      ...(scalar === undefined ? { typeName: `.${PACKAGE}.${one}` } : {}),
    });
  });
  return create(DescriptorProtoSchema, { name, field });
}
