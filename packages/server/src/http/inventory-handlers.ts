// SPDX-License-Identifier: Apache-2.0

import { ENDPOINTS } from "@berth/core/protocol/api/endpoints";
import type { InventoryOperationName } from "@berth/core/protocol/api/inventory-endpoints";
import type { CandidatesRequest, CheckRequest } from "@berth/core/protocol/api/requests";
import { BerthError } from "@berth/core/protocol/berth-error";
import { CandidateWriter } from "../inventory/candidate-writer.ts";
import type { FleetView } from "../inventory/fleet-view.ts";
import { formatHost, listHosts } from "./host-answers.ts";
import { listDevices, listParents, listPools, listProblems } from "./list-answers.ts";
import { answerCheck, requireHost, writeCandidates } from "./question-answers.ts";
import { parseQuery, partsOf, requireBody, textOf } from "./request-parts.ts";
import { pageHandler, quote, type Handler, type Served } from "./served.ts";
import { FleetSums } from "./sum-answers.ts";
import { answerVmCandidates, isVmRequest } from "./vm-candidates.ts";
import { answerText } from "./text-answers.ts";
import { listVms, readVm } from "./vm-answers.ts";

/** What shows hosts and answers questions about them. */
export function makeInventoryHandlers(
  served: Served,
): Readonly<Record<Exclude<InventoryOperationName, "followEvents">, Handler>> {
  const { view, control } = served;
  const sums = new FleetSums(view);
  return {
    listHosts: pageHandler(served, "listHosts", () => listHosts(view, control)),
    readHost: (request) => formatHost(requireHost(view, partsOf(request)["host"] ?? "", "host"), view, control),
    listParents: pageHandler(served, "listParents", ({ host }) => listParents(view, textOf(host))),
    listPools: pageHandler(served, "listPools", ({ host }) => listPools(view, textOf(host))),
    listTypes: pageHandler(served, "listTypes", () => sums.listTypes()),
    listDevices: pageHandler(served, "listDevices", (query) => listDevices(view, query)),
    readDevice: (request) => answerDevice(view, partsOf(request)),
    listVms: pageHandler(served, "listVms", ({ host }) => listVms(view, control, textOf(host))),
    readVm: (request) => readVm(view, control, partsOf(request)),
    readText: async (request) => {
      const { path } = parseQuery(ENDPOINTS.readText, request.query);
      return await answerText(served, partsOf(request)["host"] ?? "", textOf(path) ?? "");
    },
    listClasses: pageHandler(served, "listClasses", () => sums.listClasses()),
    listProblems: pageHandler(served, "listProblems", ({ host }) => listProblems(view, textOf(host))),
    listCapacity: pageHandler(served, "listCapacity", () => sums.listCapacity()),
    ...makeQuestionHandlers(view),
  };
}

function makeQuestionHandlers(view: FleetView): Readonly<Record<"checkPair" | "findCandidates", Handler>> {
  const writer = new CandidateWriter();
  return {
    checkPair: ({ body }) => {
      requireBody(ENDPOINTS.checkPair, body);
      return answerCheck(view, body as CheckRequest);
    },
    findCandidates: ({ body }, reply) => {
      requireBody(ENDPOINTS.findCandidates, body);
      const request = body as CandidatesRequest;
      if (isVmRequest(request)) return answerVmCandidates(view, request);
      const text = writeCandidates(writer, view, request);
      return reply.type("application/json; charset=utf-8").send(text);
    },
  };
}

function answerDevice(view: FleetView, { host = "", id = "" }: Readonly<Record<string, string>>): unknown {
  const { snapshot } = requireHost(view, host, "host").host;
  const device = snapshot.devices.find((one) => one.id === id.toLowerCase());
  if (device !== undefined) return { generation: view.generation, device: { host, ...device } };
  throw new BerthError("unknown_device", `Host ${quote(host)} has no device ${quote(id)}`, {
    place: "id",
    expected: "a device that GET /v1/devices lists",
  });
}
