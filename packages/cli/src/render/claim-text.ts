// SPDX-License-Identifier: Apache-2.0

import type { Claimant, ClaimedDevice, ClaimedIdentity } from "@berth/core/claim/claim";
import { describeRemedy } from "@berth/core/compatibility/describe-remedy";
import type { ClaimRefusal } from "@berth/core/claim/claim-request";
import type { ClaimDecisionAnswer, ClaimItem, TriedHost } from "@berth/core/protocol/api/control-answers";
import { formatInstant } from "./instant.ts";
import { formatTable, indent, printable } from "./table.ts";
import { counted, heading } from "./words.ts";

/** Claims as a table, one row each. */
export const CLAIM_HEAD: readonly string[] = [
  "CLAIM",
  "STATE",
  "HOST",
  "FOR",
  "DEVICES",
  "FENCE",
  "SINCE",
  "UNTIL",
  "NOTE",
];

/** One claim as a row below CLAIM_HEAD. */
export function claimRow(claim: ClaimItem): readonly string[] {
  const until = claim.expiresAtMs ?? claim.endedAtMs;
  return [
    claim.id,
    claim.state,
    claim.host,
    claimantWords(claim.claimant),
    String(claim.devices.length),
    String(claim.fence),
    formatInstant(claim.createdAtMs),
    until === undefined ? "-" : formatInstant(until),
    (claim.notice ?? claim.reason)?.text ?? "",
  ];
}

/** Everything about one claim. */
export function formatClaim(claim: ClaimItem): string {
  const sections = [
    formatHeadline(claim),
    formatDevices(claim.devices),
    formatFacts(claim),
    formatTrust(claim),
    formatReasons(claim),
  ];
  return sections.filter((section) => section !== "").join("\n\n");
}

/** What became of the wish for a place. */
export function formatDecision(answer: ClaimDecisionAnswer): string {
  if (answer.kind === "refused") return formatRefusal(answer);
  const { claim, dryRun, steps, tried, alsoHeld = [] } = answer;
  const granted = dryRun ? "A dry run: this would be granted; nothing was written." : "";
  const done = steps.map((step, at) => `  ${at + 1}. ${printable(step)}`);
  const sections = [
    granted,
    dryRun ? `${heading("Place")} on ${claim.host}, fence ${claim.fence}` : formatHeadline(claim),
    formatDevices(claim.devices),
    formatTrust(claim),
    done.length === 0 ? "" : [heading("The agent's steps"), ...done].join("\n"),
    alsoHeld.length === 0 ? "" : `A place is held for the same devices by ${alsoHeld.map(printable).join(", ")} too.`,
    tried.length === 0 ? "" : `${heading("Tried before")}\n${formatTried(tried)}`,
    dryRun || claim.state !== "held"
      ? ""
      : `Next: berth confirm ${claim.id} has the devices made; berth release ${claim.id} gives the place back.`,
  ];
  return sections.filter((section) => section !== "").join("\n\n");
}

/** Who a claim is for. */
export function claimantWords(claimant: Claimant): string {
  if (claimant.kind === "vm") return `VM ${claimant.host}:${claimant.vm}`;
  return claimant.kind === "device" ? `${claimant.host}:${claimant.device}` : "a profile";
}

function formatHeadline(claim: ClaimItem): string {
  const until = claim.expiresAtMs === undefined ? "" : ` until ${formatInstant(claim.expiresAtMs)}`;
  const ended = claim.endedAtMs === undefined ? "" : ` since ${formatInstant(claim.endedAtMs)}`;
  return `${heading(`Claim ${claim.id} is ${claim.state}`)}${until}${ended}, on ${claim.host}, fence ${claim.fence}, for ${printable(claimantWords(claim.claimant))}`;
}

function formatDevices(devices: readonly ClaimedDevice[]): string {
  const rows = devices.map((device) => [
    device.source ?? "-",
    identityWords(device.identity),
    `${device.parent}/${device.type}${device.count === 1 ? "" : ` x ${device.count}`}`,
    device.units === undefined ? "" : device.units.join(" "),
    device.values.map(({ attribute, value }) => `${attribute} = ${value}`).join(", "),
  ]);
  const head = ["FROM", "DEVICE", "PLACE", "UNITS", "SET THERE"];
  const kept = head.map((_, at) => at < 3 || rows.some((row) => row[at] !== ""));
  const narrow = (row: readonly string[]): readonly string[] => row.filter((_, at) => kept[at]);
  return indent(formatTable(narrow(head), rows.map(narrow)), 2);
}

/** The device's very identity. */
export function identityWords(identity: ClaimedIdentity): string {
  if (identity.kind === "mdev") return identity.uuid;
  const slot = identity.kind === "vendor-vfio" && identity.slot !== undefined ? ` slot ${identity.slot}` : "";
  return `${identity.address}${slot}`;
}

function formatFacts(claim: ClaimItem): string {
  const prints = claim.devices.map(({ identity, fingerprint, vacated }) => {
    const { build, deviceApi, softwareVersion } = fingerprint;
    const facts = [
      deviceApi,
      softwareVersion === undefined ? "" : `version ${softwareVersion}`,
      build ?? "build not known",
    ];
    const rule = vacated === true ? "to be removed once nobody uses it" : "must still be true when it is made";
    return `  ${identityWords(identity)}: ${facts
      .filter((fact) => fact !== "")
      .map(printable)
      .join(", ")} (${rule})`;
  });
  return [
    `Made by ${printable(claim.principal)} at ${formatInstant(claim.createdAtMs)}, revision ${claim.revision}.`,
    heading("Fingerprints"),
    ...prints,
  ].join("\n");
}

function formatTrust({ restsOn, packs }: Pick<ClaimItem, "restsOn" | "packs">): string {
  const lines = restsOn.map(
    ({ rule, code, text, confidence }) => `  ${rule} ${printable(text)} (${confidence}) [${code}]`,
  );
  const used = packs.map(
    ({ name, version, digest }) => `  pack ${name} ${version} ${digest.slice(0, "sha256:".length + 12)}`,
  );
  if (lines.length + used.length === 0) return "It rests on what drivers declare and probes prove.";
  return [heading("It rests on"), ...lines, ...used].join("\n");
}

function formatReasons({ reason, notice }: ClaimItem): string {
  const lines = reason === undefined ? [] : [`Reason: ${printable(reason.text)} [${reason.code}]`];
  if (notice !== undefined) lines.push(`The agent says: ${printable(notice.text)} [${notice.code}]`);
  return lines.join("\n");
}

const BECAUSE_WORDS: Readonly<Record<"no" | "unknown" | "no-room", string>> = {
  no: "no host that was tried may take it",
  unknown: "a fact is missing, and a claim needs a yes",
  "no-room": "a place is compatible, and there is no room now",
};

function formatRefusal({ tried, because }: Extract<ClaimDecisionAnswer, { kind: "refused" }>): string {
  const title = `${heading("Not granted:")} ${BECAUSE_WORDS[because]}.`;
  if (tried.length === 0) return `${title}\nNo host has a place; berth where explains each.`;
  return `${title}  ${counted(tried.length, "host")} tried.\n${formatTried(tried)}`;
}

/** Every host that was tried, with everything in its way. */
function formatTried(tried: readonly TriedHost[]): string {
  return tried.map(({ host, reasons }) => [`  ${host}`, ...reasons.flatMap(formatRefused)].join("\n")).join("\n");
}

function formatRefused({ code, text, device, parent, type, because = [], short }: ClaimRefusal): readonly string[] {
  const place = parent === undefined ? "" : `${parent}${type === undefined ? "" : `/${type}`}: `;
  const which = device === undefined ? "" : `device ${device + 1}, `;
  const missing = Object.entries(short ?? {}).map(([name, count]) => `${count} ${name}`);
  return [
    `    ${printable(`${which}${place}${text}`)} [${code}]`,
    ...(missing.length === 0 ? [] : [`      short of ${printable(missing.join(", "))}`]),
    ...because.flatMap((says) => [
      `      ${says.rule.padEnd(4)} ${printable(says.text)} [${says.code}]`,
      ...(says.remedy === undefined ? [] : [`           remedy  ${printable(describeRemedy(says.remedy))}`]),
    ]),
  ];
}

/** What a claim is now, in one line. */
export function formatClaimState({ id, host, state, reason }: ClaimItem): string {
  const why = reason === undefined ? "" : `: ${printable(reason.text)} [${reason.code}]`;
  return `Claim ${id} on ${host} is ${state}${why}`;
}
