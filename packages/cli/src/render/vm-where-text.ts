// SPDX-License-Identifier: Apache-2.0

import { describeRemedy } from "@berth/core/compatibility/describe-remedy";
import type { MigrationProfile } from "@berth/core/device/migration-profile";
import type { Verdict } from "@berth/core/compatibility/verdict";
import type { PlaceRef } from "@berth/core/inventory/place";
import type { VirtualMachine } from "@berth/core/device/virtual-machine";
import type { VmCandidate, VmNearMiss, VmPlacementAnswer, VmRefused } from "@berth/core/placement/vm-answer";
import { formatTable, indent, printable } from "./table.ts";
import { counted, heading, OUTCOME_WORDS, verdictWords } from "./words.ts";

/** Where a whole VM can go, for a person. `all`: every refused host instead of the counts. */
export function formatVmWhere(answer: VmPlacementAnswer, view: { readonly all: boolean }): string {
  const sections = [
    formatVmTitle(answer),
    formatVmCandidates(answer.candidates),
    formatVmPlatform(answer.candidates),
    view.all ? formatVmRefused(answer.elsewhere) : formatVmCounts(answer.elsewhere),
    answer.emptyHosts.map(({ host, why }) => `Host ${host} offers nothing: ${why}.`).join("\n"),
    formatNearMiss(answer),
    `Not checked: ${answer.notChecked.join("; ")}.`,
  ];
  return sections.filter((section) => section !== "").join("\n\n");
}

/** A VM's state and owner in a few words. */
export function vmWords({ state, pid, owner }: VirtualMachine): string {
  const running = pid === undefined ? "running" : `running (pid ${pid})`;
  const states = { running, defined: "shut off", unknown: "not known whether it runs" };
  if (owner.kind === "berth") return states[state];
  const whose = owner.kind === "unknown" ? "owner not known" : `${owner.kind}'s`;
  return `${states[state]}, ${whose}: foreign, so never moved by Berth`;
}

/** The question, with the VM and its devices. */
export function formatVmTitle({
  host,
  vm,
  sources,
  excludedHosts,
}: Pick<VmPlacementAnswer, "host" | "vm" | "sources" | "excludedHosts">): string {
  const name = vm === undefined ? "these devices" : `VM ${printable(vm.name)}`;
  const state = vm === undefined ? "" : `, ${vmWords(vm)}`;
  const others = excludedHosts.filter((excluded) => excluded !== host);
  const left = others.length === 0 ? "" : `  Left out: ${shortenList(others)}.`;
  const title = `${heading(`Where can ${name} go?`)}  ${counted(sources.length, "device")} on ${host}${state}.${left}`;
  const rows = sources.map((source) => [source.subject.id, typeWords(source), source.subject.parent]);
  return `${title}\n${indent(formatTable(["DEVICE", "TYPE", "PARENT"], rows), 2)}`;
}

function typeWords({ type, aggregation }: MigrationProfile): string {
  const count = aggregation.kind === "known" && aggregation.value.count !== 1 ? ` x ${aggregation.value.count}` : "";
  return `${type.kind === "known" ? printable(type.value) : "type not known"}${count}`;
}

/** A host with a place for each device, as it is shown: wherever it was found. */
export type ShownVmCandidate = Omit<VmCandidate, "assignments"> & {
  readonly assignments: readonly {
    readonly device: string;
    readonly slot?: number;
    readonly judged: { readonly place: Pick<PlaceRef, "parent" | "type">; readonly verdict: Verdict };
  }[];
};

/** The candidates as a table, one row a device. */
export function formatVmCandidates(candidates: readonly ShownVmCandidate[]): string {
  if (candidates.length === 0) return heading("No host has a berth for all of them.");
  const rows = candidates.flatMap((candidate) =>
    candidate.assignments.map(({ device, judged, slot }, index) => {
      const place = `${judged.place.parent}/${judged.place.type}${slot === undefined ? "" : ` at slot ${slot}`}`;
      const lead =
        index === 0 ? [String(candidate.rank), candidate.host, verdictWords(candidate.platform)] : ["", "", ""];
      const cut = candidate.isBest ? [] : ["another pairing may be better"];
      const because = index === 0 ? [...candidate.because.slice(1), ...cut].join(", ") : "";
      return [...lead, device, place, verdictWords(judged.verdict), because];
    }),
  );
  const table = formatTable(["", "HOST", "PLATFORM", "DEVICE", "BERTH", "DEVICE PAIR", "WHY HERE"], rows);
  return `${heading(`${counted(candidates.length, "host")} with a berth for each, best first`)}\n${indent(table, 2)}`;
}

/** What is not known about the platforms: each text once. */
export function formatVmPlatform(candidates: readonly Pick<VmCandidate, "platform">[]): string {
  const platforms = candidates.map(({ platform }) => platform);
  if (platforms.some((platform) => platform.kind === "compatible" && platform.confidence === "assumed")) {
    return "The platform (R10) was assumed, not checked: --assume-platform is in force.";
  }
  const gaps = platforms.flatMap((platform) => (platform.kind === "undetermined" ? platform.missing : []));
  const byCode = Map.groupBy(gaps, ({ code }) => code);
  if (byCode.size === 0) return "";
  const lines = [...byCode.values()].map((alike) => {
    const texts = new Set(alike.map(({ text }) => text));
    const more = texts.size === 1 ? "" : ` (and ${texts.size - 1} more like it)`;
    return `  ?  ${printable([...texts][0] ?? "")}${more}`;
  });
  return [heading("The platform (R10) is undetermined; missing:"), ...lines].join("\n");
}

/** A host without a place for all devices, as it is shown. */
export type ShownVmRefused = Pick<VmRefused, "host" | "outcome" | "codes" | "why">;

/** Hosts that are refused for one reason, counted, nearest first. */
export function formatVmCounts(refused: readonly ShownVmRefused[]): string {
  const groups = Map.groupBy(refused, ({ outcome, codes }) => JSON.stringify([outcome, codes[0]]));
  const rows = [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const hosts = shortenList(group.map(({ host }) => host));
    return [[OUTCOME_WORDS[first.outcome], String(group.length), first.codes[0], hosts, first.why]];
  });
  if (rows.length === 0) return "";
  const table = formatTable(["KIND", "HOSTS", "CODE", "WHICH", "FOR EXAMPLE"], rows);
  return `${heading("Why not elsewhere")} (each host by what is farthest from a yes; --all shows every host)\n${indent(table, 2)}`;
}

/** Every refused host. */
export function formatVmRefused(refused: readonly ShownVmRefused[]): string {
  if (refused.length === 0) return "";
  const rows = refused.map(({ host, outcome, codes, why }) => [host, OUTCOME_WORDS[outcome], codes.join(", "), why]);
  return `${heading("Why not elsewhere, every host")}\n${indent(formatTable(["HOST", "KIND", "CODES", "WHY"], rows), 2)}`;
}

function formatNearMiss({ nearMisses, candidates }: VmPlacementAnswer): string {
  const [nearest] = nearMisses;
  if (nearest === undefined) return candidates.length === 0 ? "Nothing that Berth knows of would make a place." : "";
  return formatMiss(nearest);
}

function formatMiss({ refused, remedies }: VmNearMiss): string {
  return [
    `${heading("Nearest miss")}  ${refused.host} (${OUTCOME_WORDS[refused.outcome]}): ${printable(refused.why)}.`,
    ...remedies.map((remedy) => `  mend it: ${printable(describeRemedy(remedy))}`),
    "  each device then has a place; ask again whether all of them have one together",
  ].join("\n");
}

function shortenList(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown}, +${names.length - 3}` : shown;
}
