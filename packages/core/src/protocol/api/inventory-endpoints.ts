// SPDX-License-Identifier: Apache-2.0

import { NAME, OF_HOST, ordering, PAGED, reading, type Endpoint } from "./endpoint.ts";
import { CANDIDATES_REQUEST, CHECK_REQUEST } from "./requests.ts";

/** Names of the operations that show hosts and answer questions about them. */
export type InventoryOperationName =
  | "listHosts"
  | "readHost"
  | "listParents"
  | "listPools"
  | "listTypes"
  | "listDevices"
  | "readDevice"
  | "listVms"
  | "readVm"
  | "readText"
  | "listClasses"
  | "listProblems"
  | "listCapacity"
  | "checkPair"
  | "findCandidates"
  | "followEvents";

/** What shows hosts and answers questions about them. */
export const INVENTORY_ENDPOINTS: Readonly<Record<InventoryOperationName, Endpoint>> = {
  listHosts: reading("/v1/hosts", "HostPage", { summary: "All hosts, sorted by name", query: PAGED }),
  readHost: reading("/v1/hosts/{host}", "Host", {
    summary: "Everything that one host shows, and what Berth holds there",
    errors: ["unknown_host"],
  }),
  listParents: reading("/v1/parents", "ParentPage", {
    summary: "Parent devices, sorted by host and id",
    query: OF_HOST,
    errors: ["unknown_host"],
  }),
  listPools: reading("/v1/pools", "PoolPage", {
    summary: "Pools with their law, their occupants and their room, sorted by host and owner",
    query: OF_HOST,
    errors: ["unknown_host"],
  }),
  listTypes: reading("/v1/types", "TypePage", { summary: "Types that can be asked for, sorted by id", query: PAGED }),
  listDevices: reading("/v1/devices", "DevicePage", {
    summary: "Devices that a VM can own, sorted by host and id",
    query: {
      ...OF_HOST,
      type: { schema: NAME, description: "devices of this type alone" },
      parent: { schema: NAME, description: "devices of this parent alone" },
    },
    errors: ["unknown_host"],
  }),
  readDevice: reading("/v1/devices/{host}/{id}", "Device", {
    summary: "One device",
    errors: ["unknown_device", "unknown_host"],
  }),
  listVms: reading("/v1/vms", "VmPage", {
    summary: "VMs with their devices and whose they are, sorted by host and id",
    query: OF_HOST,
    errors: ["unknown_host"],
  }),
  readVm: reading("/v1/vms/{host}/{id}", "Vm", { summary: "One VM", errors: ["unknown_host", "unknown_vm"] }),
  readText: reading("/v1/hosts/{host}/texts", "Text", {
    summary: "A raw text that stayed on its host (`textOnHost` in evidence), told by the host's agent",
    query: { path: { schema: { type: "string", minLength: 1, maxLength: 4096 }, description: "the evidence's path" } },
    errors: ["host_silent", "read_only_server", "too_many_streams", "unknown_host", "unknown_text"],
  }),
  listClasses: reading("/v1/classes", "ClassPage", {
    summary: "Classes of destinations that every verdict treats alike, with how many places each has",
    query: PAGED,
  }),
  listProblems: reading("/v1/problems", "ProblemPage", {
    summary: "What could not be read or cannot be true, sorted by host, path and code",
    query: OF_HOST,
    errors: ["unknown_host"],
  }),
  listCapacity: reading("/v1/capacity", "CapacityPage", {
    summary: "How much of each type there is and how much more fits, sorted by type",
    query: PAGED,
  }),
  checkPair: ordering("/v1/checks", "Check", {
    summary: "May this device move there? Both verdicts with every reason, and the room",
    role: "viewer",
    body: CHECK_REQUEST,
    errors: [
      "invalid_reference",
      "policy_malformed",
      "profile_malformed",
      "unknown_device",
      "unknown_host",
      "unknown_parent",
      "unknown_type",
    ],
  }),
  findCandidates: {
    method: "POST",
    path: "/v1/candidates",
    summary: "Where can a device, or a VM with all its devices, go? The best places, and what becomes of all others",
    role: "viewer",
    body: CANDIDATES_REQUEST,
    errors: [
      "policy_malformed",
      "profile_malformed",
      "search_too_large",
      "unknown_device",
      "unknown_host",
      "unknown_vm",
      "vm_without_devices",
    ],
    answer: { kind: "json", schema: "Candidates", also: "VmCandidates" },
  },
  followEvents: {
    method: "GET",
    path: "/v1/events",
    summary: "Changes of the inventory as server-sent events, one message a revision; resumable by Last-Event-ID",
    role: "viewer",
    errors: ["cursor_malformed", "too_many_streams"],
    answer: { kind: "events", schema: "ChangeMessage" },
  },
};
