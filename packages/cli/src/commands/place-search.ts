// SPDX-License-Identifier: Apache-2.0

import type { Outcome } from "@berth/core/placement/answer";
import type { Strategy } from "@berth/core/placement/request";
import type { CandidatesAnswer } from "@berth/core/protocol/api/answers";
import type { VmCandidatesAnswer, VmItem } from "@berth/core/protocol/api/control-answers";
import { parsePolicyDocument } from "@berth/core/protocol/policy-schema";
import { parseProfileDocument } from "@berth/core/protocol/profile-schema";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { ConnectionOptions } from "../connect/connection.ts";
import { exitCodeOfWhere, type ExitCode } from "../exit-code.ts";
import { readJsonFile } from "../input/json-file.ts";
import { findServerSubject, findServerVm } from "../input/server-reference.ts";
import type { StatementOptions } from "../input/statements.ts";
import type { Context } from "../program.ts";
import { formatJson } from "../render/json.ts";
import { formatServerVmWhere, vmAnswerOf } from "../render/server-vm-where-text.ts";
import { formatServerWhere } from "../render/server-where-text.ts";
import { verdictOf } from "../render/wire.ts";
import { openLink } from "./options.ts";

/** What `berth where` asks of a server. */
export interface SearchOptions extends StatementOptions, ConnectionOptions {
  readonly vm?: string;
  readonly strategy: Strategy;
  readonly numa?: number;
  readonly onlyHost: readonly string[];
  readonly exceptHost: readonly string[];
  readonly rack: readonly string[];
  /** Each `name=value`. */
  readonly label: readonly string[];
  readonly limit?: number;
  readonly all?: true;
  readonly json?: true;
}

/** Asks a server where a device or VM can go. */
export async function searchServer(text: string, options: SearchOptions, context: Context): Promise<void> {
  const link = openLink(options, context);
  const policy = policyDocument(options);
  const subject =
    options.vm === undefined
      ? await findServerSubject(text, link)
      : { kind: "vm" as const, ref: await findServerVm(text, link) };
  const search = {
    strategy: options.strategy,
    ...(options.numa === undefined ? {} : { numaNode: options.numa }),
    ...(options.onlyHost.length === 0 ? {} : { hosts: options.onlyHost }),
    ...(options.exceptHost.length === 0 ? {} : { exceptHosts: options.exceptHost }),
    ...(options.rack.length === 0 ? {} : { racks: options.rack }),
    ...(options.label.length === 0 ? {} : { labels: parseLabels(options.label) }),
    ...(options.limit === undefined ? {} : { limit: options.limit }),
  };
  if (subject.kind === "device") {
    if (options.all === true) throw notOverServer("--all", "of one device; --host and --demo show every place");
    const request = { source: subject.ref, ...search, ...(policy === undefined ? {} : { policy }) };
    writeDevice(await link.inventory.findCandidates(request), options, context);
    return;
  }
  if (policy !== undefined) throw notOverServer("--policy and --assume-platform", "for a whole VM");
  const { ref } = subject;
  const [answer, { vm }] = await Promise.all([
    link.control.findVmCandidates({ source: ref, ...search }),
    link.control.readVm(ref.host, ref.vm),
  ]);
  writeVm({ answer, vm }, options, context);
}

/** Labels by name. A name that is given twice would be one that no host has: it is refused. */
function parseLabels(texts: readonly string[]): Readonly<Record<string, string>> {
  const labels = new Map<string, string>();
  for (const text of texts) {
    const at = text.indexOf("=");
    const name = text.slice(0, Math.max(at, 0));
    if (at <= 0 || labels.has(name)) {
      throw new BerthError("usage_bad_value", `Cannot read --label ${JSON.stringify(text.slice(0, 80))}`, {
        place: "--label",
        expected: "NAME=VALUE, each name once",
      });
    }
    labels.set(name, text.slice(at + 1));
  }
  return Object.fromEntries(labels);
}

/** The policy document that a server is sent in place of its own; undefined: its own. Throws BerthError. */
export function policyDocument({ policy, pack = [], assumePlatform }: StatementOptions): object | undefined {
  if (pack.length > 0) throw notOverServer("--pack", "it has packs of its own");
  if (policy === undefined && assumePlatform !== true) return undefined;
  const document = policy === undefined ? {} : (readJsonFile(policy) as object);
  if (policy !== undefined) parsePolicyDocument(document, policy);
  return { policy: "berth.policy/v1", ...document, ...(assumePlatform === true ? { assumePlatform } : {}) };
}

function notOverServer(option: string, why: string): BerthError {
  return new BerthError("usage_conflict", `A server does not take ${option}: ${why}`, {
    place: option,
    expected: "the question without it, or hosts that are read here with --host NAME=ROOT",
  });
}

function writeDevice(answer: CandidatesAnswer, { json }: SearchOptions, { output, finish }: Context): void {
  const source = parseProfileDocument(answer.source, "the server's answer");
  const { outcomes = [], ...rest } = answer;
  const candidates = answer.candidates.map((item) => ({ platform: verdictOf(item.platform) }));
  const refused = outcomes.flatMap(({ kind }): readonly { readonly outcome: Outcome }[] => {
    if (kind === "candidate") return [];
    return [{ outcome: kind === "room-unknown" ? "unknown" : kind }];
  });
  const exitCode = exitCodeOfWhere({ candidates, refused });
  const nearMisses = outcomes.flatMap(({ example, why, remedies }) =>
    remedies.length === 0 ? [] : [{ ...example, why, remedies }],
  );
  const text =
    json === true
      ? formatJson("where/v1", { ...rest, outcomes, nearMisses, exitCode })
      : formatServerWhere(answer, source);
  output.write(`${text}\n`);
  finish(exitCode);
}

function writeVm(
  found: { readonly answer: VmCandidatesAnswer; readonly vm: VmItem },
  { json, all }: SearchOptions,
  { output, finish }: Context,
): void {
  const shown = vmAnswerOf(found.answer, found.vm);
  const exitCode: ExitCode = exitCodeOfWhere({ candidates: shown.candidates, refused: shown.elsewhere });
  const text =
    json === true
      ? formatJson("where-vm/v1", vmDocument(found, exitCode))
      : formatServerVmWhere(shown, { all: all === true });
  output.write(`${text}\n`);
  finish(exitCode);
}

/** The shape of an offline answer, as far as a server says it. */
function vmDocument(found: { readonly answer: VmCandidatesAnswer; readonly vm: VmItem }, exitCode: ExitCode): object {
  const { candidates, elsewhere = [], vm: _id, ...rest } = found.answer;
  const { host: _host, adopted: _adopted, ...vm } = found.vm;
  return {
    ...rest,
    vm,
    candidates: candidates.map(({ places, ...candidate }) => ({ ...candidate, assignments: places })),
    elsewhere,
    nearMisses: elsewhere.flatMap(({ host, why, remedies }) =>
      remedies.length === 0 ? [] : [{ host, why, remedies }],
    ),
    exitCode,
  };
}
