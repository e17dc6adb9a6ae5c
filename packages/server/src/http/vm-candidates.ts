// SPDX-License-Identifier: Apache-2.0

import { findVmCandidates } from "@berth/core/placement/find-vm-candidates";
import { NOT_CHECKED } from "@berth/core/placement/find-candidates";
import type { VmAssignment, VmPlacementAnswer, VmRefused } from "@berth/core/placement/vm-answer";
import type { VirtualMachine } from "@berth/core/device/virtual-machine";
import type {
  VmCandidateItem,
  VmCandidatesAnswer,
  VmElsewhereItem,
  VmPlaceItem,
} from "@berth/core/protocol/api/control-answers";
import type { VmReference } from "@berth/core/protocol/api/control-requests";
import type { CandidatesRequest } from "@berth/core/protocol/api/requests";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { FleetView } from "../inventory/fleet-view.ts";
import { searchVmCandidates, type VmSearch } from "../inventory/vm-search.ts";
import { findWantedHosts, requireNamedHosts, weightOf } from "./candidate-wishes.ts";
import { documentOf, LIMIT_DEFAULT, OWN_POLICY_HOSTS_MAX, requireHost, viewUnder } from "./question-answers.ts";
import { quote } from "./served.ts";

/** A search for a VM with all its devices. */
export type VmCandidatesRequest = CandidatesRequest & { readonly source: VmReference };

export function isVmRequest(request: CandidatesRequest): request is VmCandidatesRequest {
  return "vm" in request.source;
}

/** Hosts that `elsewhere` names at most; the rest are counted. */
const ELSEWHERE_MAX = 256;

/** Answers `POST /v1/candidates` for a VM: hosts with a place for every device, all at once. Throws BerthError. */
export function answerVmCandidates(view: FleetView, request: VmCandidatesRequest): VmCandidatesAnswer {
  const { host } = request.source;
  const vm = requireVm(view, request.source);
  requireNamedHosts(view, request);
  const wanted = findWantedHosts(view, request);
  const searched =
    request.policy === undefined ? view : viewUnder(view, request, [host, ...(wanted ?? view.hostNames)]);
  const exceptHosts = [...new Set([host, ...(request.exceptHosts ?? []), ...view.cordons])].toSorted();
  const search: VmSearch = {
    host,
    vm: vm.id,
    strategy: request.strategy ?? "fragmentation",
    exceptHosts,
    limit: Number.MAX_SAFE_INTEGER,
    ...(request.numaNode === undefined ? {} : { numaNode: request.numaNode }),
    ...(wanted === undefined ? {} : { onlyHosts: wanted }),
  };
  const looked = listLookedAt(view, search);
  const isSmall = looked.length <= OWN_POLICY_HOSTS_MAX;
  const found = isSmall ? searchWhole(searched, search, looked) : searchVmCandidates(searched, search);
  const elsewhere = found.elsewhere.slice(0, ELSEWHERE_MAX).map((refused) => formatElsewhere(refused, found));
  return {
    generation: view.generation,
    host,
    vm: vm.id,
    sources: found.sources.map(documentOf),
    candidates: listBest(found.candidates, request),
    ...(request.explain === false
      ? {}
      : { elsewhere, elsewhereMore: looked.length - found.candidates.length - elsewhere.length }),
    excludedHosts: exceptHosts,
    notChecked: NOT_CHECKED,
  };
}

function requireVm(view: FleetView, { host, vm: id }: VmReference): VirtualMachine {
  const { snapshot } = requireHost(view, host, "/source/host").host;
  const vm = snapshot.virtualMachines.find((one) => one.id === id);
  if (vm === undefined) {
    throw new BerthError("unknown_vm", `Host ${quote(host)} has no VM ${quote(id)}`, {
      place: "/source/vm",
      expected: "a VM that GET /v1/vms lists",
    });
  }
  if (vm.devices.length === 0) {
    throw new BerthError("vm_without_devices", `VM ${quote(id)} has no device that needs a place`, {
      place: "/source/vm",
      expected: "a VM with devices: this one can go wherever its guest can",
    });
  }
  const shown = new Set(snapshot.devices.map((device) => device.id));
  const missing = vm.devices.find(({ device }) => !shown.has(device));
  if (missing === undefined) return vm;
  throw new BerthError(
    "unknown_device",
    `Host ${quote(host)} does not show device ${quote(missing.device)} of the VM`,
    {
      place: "/source/vm",
      expected: "a VM whose devices exist",
    },
  );
}

/** Hosts that a search looks at, those without any place too. */
function listLookedAt(view: FleetView, { onlyHosts, exceptHosts }: VmSearch): readonly string[] {
  const except = new Set(exceptHosts);
  return [...new Set(onlyHosts ?? view.hostNames)].filter((name) => !except.has(name));
}

type Found = Pick<VmPlacementAnswer, "sources" | "candidates" | "elsewhere"> &
  Partial<Pick<VmPlacementAnswer, "nearMisses">>;

/** Looks at every host by itself, so that each is explained. */
function searchWhole(view: FleetView, search: VmSearch, looked: readonly string[]): Found {
  const { limit: _limit, onlyHosts: _only, ...request } = search;
  const hosts = [search.host, ...looked].flatMap((name) => view.findHost(name)?.host ?? []);
  return findVmCandidates({ ...view.frame, hosts }, { ...request, memory: view.memory });
}

function listBest(found: VmPlacementAnswer["candidates"], request: VmCandidatesRequest): readonly VmCandidateItem[] {
  const { weights, limit = LIMIT_DEFAULT } = request;
  return found
    .toSorted((a, b) => weightOf(weights, b.host) - weightOf(weights, a.host))
    .slice(0, limit)
    .map(({ host, assignments, platform, because, isBest }, at) => {
      const weight = weightOf(weights, host);
      const said = weight === 0 ? [] : [`the weight of the host is ${weight}`];
      const places = assignments.map(formatPlace);
      return { host, rank: at + 1, places, platform, because: [...said, ...because], isBest };
    });
}

function formatPlace({ device, judged, slot }: VmAssignment): VmPlaceItem {
  const { place, verdict, room } = judged;
  return { device, parent: place.parent, type: place.type, ...(slot === undefined ? {} : { slot }), verdict, room };
}

function formatElsewhere(refused: VmRefused, { nearMisses }: Found): VmElsewhereItem {
  const { host, outcome, codes, why } = refused;
  const remedies = nearMisses?.find((miss) => miss.refused.host === host)?.remedies ?? [];
  return { host, outcome, codes, why, remedies };
}
