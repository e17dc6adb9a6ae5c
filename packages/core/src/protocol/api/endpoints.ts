// SPDX-License-Identifier: Apache-2.0

import { AGENT_ENDPOINTS, type AgentOperationName } from "../agent/agent-endpoints.ts";
import { CONTROL_ENDPOINTS, type ControlOperationName } from "./control-endpoints.ts";
import { reading, type Endpoint } from "./endpoint.ts";
import { INVENTORY_ENDPOINTS, type InventoryOperationName } from "./inventory-endpoints.ts";

/** Names of the operations for whoever runs the server. */
type ServerOperationName = "readHealth" | "readReadiness" | "readMetrics" | "readOpenApi" | "readDocs";

/** Names of all operations. */
export type OperationName = InventoryOperationName | ControlOperationName | AgentOperationName | ServerOperationName;

const SERVER_ENDPOINTS: Readonly<Record<ServerOperationName, Endpoint>> = {
  readHealth: reading("/healthz", "Health", { summary: "Whether the process answers", role: "anyone" }),
  readReadiness: reading("/readyz", "Ready", {
    summary: "Whether the inventory may be answered from; 503 where not",
    role: "anyone",
  }),
  readMetrics: {
    method: "GET",
    path: "/metrics",
    summary: "Figures in the text format of Prometheus",
    role: "viewer",
    answer: { kind: "text", type: "text/plain" },
  },
  readOpenApi: reading("/openapi.json", "OpenApi", { summary: "This API as an OpenAPI 3.1 document", role: "anyone" }),
  readDocs: {
    method: "GET",
    path: "/docs",
    summary: "This API as a page to read",
    role: "anyone",
    answer: { kind: "text", type: "text/html" },
  },
};

/** Every endpoint of version 1 by the name of its operation. */
export const ENDPOINTS: Readonly<Record<OperationName, Endpoint>> = {
  ...INVENTORY_ENDPOINTS,
  ...CONTROL_ENDPOINTS,
  ...AGENT_ENDPOINTS,
  ...SERVER_ENDPOINTS,
};

/** All endpoints as one list, in the order of the documents. */
export const OPERATIONS: readonly (readonly [OperationName, Endpoint])[] = Object.entries(ENDPOINTS) as [
  OperationName,
  Endpoint,
][];

/** Names of the parts of a path that a caller fills in. */
export function pathNames(path: string): readonly string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "");
}
