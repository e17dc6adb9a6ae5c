// SPDX-License-Identifier: Apache-2.0

import { formatRoom } from "@berth/core/capacity/room";
import { describeRemedy } from "@berth/core/compatibility/describe-remedy";
import { formatPlace, type PlaceRef } from "@berth/core/inventory/place";
import type {
  Candidate,
  Count,
  ExistingDevice,
  NearMiss,
  PlacementAnswer,
  Refused,
} from "@berth/core/placement/answer";
import { formatTable, indent, printable } from "./table.ts";
import { counted, heading, OUTCOME_WORDS, verdictWords } from "./words.ts";

/** How much of the answer is printed. */
export interface WhereView {
  /** Every refused place instead of the counts. */
  readonly all: boolean;
}

/** The whole answer to "where?" for a person. */
export function formatWhere(answer: PlacementAnswer, view: WhereView): string {
  const sections = [
    formatSource(answer),
    formatCandidates(answer.candidates),
    formatPlatform(answer.candidates),
    formatExisting(answer.existing),
    view.all ? formatRefused(answer.refused) : formatCounts(answer.counts),
    formatEmpty(answer),
    formatNearMiss(answer.nearMisses, answer.candidates.length),
    `Not checked: ${answer.notChecked.join("; ")}.`,
  ];
  return sections.filter((section) => section !== "").join("\n\n");
}

function formatSource({ source, sourceUsage, excludedHosts }: PlacementAnswer): string {
  const used = sourceUsage.kind === "used" ? `, ${printable(sourceUsage.text)}` : "";
  return formatTitle({ source, used, excludedHosts });
}

/** The question, with the device's type and place. `used`: who uses it, after a comma, or nothing. */
export function formatTitle({
  source,
  used,
  excludedHosts,
}: Pick<PlacementAnswer, "source" | "excludedHosts"> & { readonly used: string }): string {
  const { subject, type, aggregation } = source;
  const count = aggregation.kind === "known" && aggregation.value.count !== 1 ? ` x ${aggregation.value.count}` : "";
  const name = type.kind === "known" ? printable(type.value) : "type not known";
  const others = excludedHosts.filter((host) => host !== subject.host);
  const left = others.length === 0 ? "" : `  Left out: ${shortenList(others)}.`;
  return `${heading(`Where can ${subject.id} go?`)}  ${name}${count} on ${subject.host}:${subject.parent}${used}.${left}`;
}

/** A candidate as it is shown: wherever it was found. */
export type ShownCandidate = Omit<Candidate, "place" | "roomRemedy"> & { readonly place: PlaceRef };

/** The candidates as a table, and what the first rests on. */
export function formatCandidates(candidates: readonly ShownCandidate[]): string {
  if (candidates.length === 0) return heading("No berth.");
  const rows = candidates.map((candidate) => [
    String(candidate.rank),
    formatPlace(candidate.place),
    verdictWords(candidate.verdict),
    verdictWords(candidate.platform),
    formatRoom(candidate.room),
    candidate.because.slice(1).join(", "),
  ]);
  const table = formatTable(["", "BERTH", "DEVICE PAIR", "PLATFORM", "ROOM", "WHY HERE"], rows);
  return `${heading(`${counted(candidates.length, "berth")}, best first`)}\n${indent(table, 2)}\n${formatBest(candidates[0])}`;
}

function formatBest(best: ShownCandidate | undefined): string {
  if (best?.verdict.kind !== "compatible") return "";
  const rests = [...new Set(best.verdict.restsOn.map((item) => `${item.rule} ${item.text}`))].map(printable);
  const claims = best.verdict.claims.map((claim) => `${claim.attribute} = ${claim.value}`).map(printable);
  const lines = [`  The first rests on: ${rests.join("; ")}.`];
  if (claims.length > 0) lines.push(`  Set there as part of claiming it: ${claims.join(", ")}.`);
  return lines.join("\n");
}

/** What is not known about the platform: each kind of gap once, with the first place where it was met. */
export function formatPlatform(candidates: readonly Pick<Candidate, "platform">[]): string {
  const gaps = new Map<string, { readonly text: string; readonly texts: Set<string> }>();
  for (const { platform } of candidates) {
    if (platform.kind !== "undetermined") continue;
    for (const { code, text } of platform.missing) {
      const gap = gaps.get(code) ?? { text, texts: new Set() };
      gaps.set(code, gap);
      gap.texts.add(text);
    }
  }
  const assumed = candidates.some(
    ({ platform }) => platform.kind === "compatible" && platform.confidence === "assumed",
  );
  if (assumed) return "The platform (R10) was assumed, not checked: --assume-platform is in force.";
  if (gaps.size === 0) return "";
  return [
    heading("The platform (R10) is undetermined; missing:"),
    ...[...gaps.values()].map(({ text, texts }) => {
      const more = texts.size === 1 ? "" : ` (and ${texts.size - 1} more like it)`;
      return `  ?  ${printable(text)}${more}`;
    }),
    "  Declare the facts in a --policy FILE, or skip R10 with --assume-platform; berth check shows all of it for one pair.",
  ].join("\n");
}

/** Devices that are there already: they need no room, and are not ranked. */
function formatExisting(existing: readonly ExistingDevice[]): string {
  if (existing.length === 0) return "";
  const names = existing.slice(0, 3).map(({ host, device, verdict }) => `${host}:${device} (${verdictWords(verdict)})`);
  const more = existing.length > 3 ? `, and ${existing.length - 3} more` : "";
  return `Existing devices that nobody uses and that could take it: ${names.join(", ")}${more}.`;
}

function formatCounts(counts: readonly Count[]): string {
  if (counts.length === 0) return "";
  const rows = counts.map((count) => [
    OUTCOME_WORDS[count.outcome],
    String(count.parents),
    count.code,
    shortenList(count.hosts),
    count.text,
  ]);
  const table = formatTable(["KIND", "PARENTS", "CODE", "HOSTS", "FOR EXAMPLE"], rows);
  return `${heading("Why not elsewhere")} (each parent at its nearest type; --all shows every place)\n${indent(table, 2)}`;
}

function shortenList(hosts: readonly string[]): string {
  const shown = hosts.slice(0, 3).join(", ");
  return hosts.length > 3 ? `${shown}, +${hosts.length - 3}` : shown;
}

function formatRefused(refused: readonly Refused[]): string {
  if (refused.length === 0) return "";
  const rows = refused.map((place) => [
    formatPlace(place.place),
    OUTCOME_WORDS[place.outcome],
    place.codes.join(", "),
    place.why,
  ]);
  return `${heading("Why not elsewhere, every place")}\n${indent(formatTable(["PLACE", "KIND", "CODES", "WHY"], rows), 2)}`;
}

function formatEmpty({ emptyHosts, emptyParents }: PlacementAnswer): string {
  return [
    ...emptyHosts.map(({ host, why }) => `Host ${host} offers nothing: ${why}.`),
    ...emptyParents.map(({ host, parent, why }) => `Parent ${host}:${printable(parent)} offers nothing: ${why}.`),
  ].join("\n");
}

/** The nearest misses, one for each kind of "no": what is near and what would mend it. */
function formatNearMiss(misses: readonly NearMiss[], candidates: number): string {
  const [nearest, ...others] = misses;
  if (nearest === undefined) return candidates === 0 ? "Nothing that Berth knows of would make a place." : "";
  const kinds = new Set([nearest.refused.outcome]);
  const next = others.filter(({ refused }) => !kinds.has(refused.outcome) && kinds.add(refused.outcome));
  return [formatMiss("Nearest miss", nearest), ...next.map((miss) => formatMiss("Next", miss))].join("\n");
}

function formatMiss(title: string, { refused, remedies, opens }: NearMiss): string {
  const kind = OUTCOME_WORDS[refused.outcome];
  return [
    `${heading(title)}  ${formatPlace(refused.place)} (${kind}): ${printable(refused.why)}.`,
    ...remedies.map((remedy) => `  mend it: ${printable(describeRemedy(remedy))}`),
    `  after that ${counted(opens, "more device")} like it would fit on ${refused.place.host}`,
  ].join("\n");
}
