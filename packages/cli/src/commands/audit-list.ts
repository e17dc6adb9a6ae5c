// SPDX-License-Identifier: Apache-2.0

import { Option, type Command } from "commander";
import { readAllPages } from "@berth/core/protocol/api/client";
import type { AuditItem } from "@berth/core/protocol/api/control-answers";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { ConnectionOptions } from "../connect/connection.ts";
import type { Context } from "../program.ts";
import { formatInstant } from "../render/instant.ts";
import { formatJson } from "../render/json.ts";
import { formatList } from "../render/list-text.ts";
import { addServerOptions, openLink, parseCount } from "./options.ts";

interface AuditOptions extends ConnectionOptions {
  /** A day, or `all`. */
  readonly day?: string;
  readonly limit?: number;
  readonly json?: true;
}

const HELP = `
Examples:
  berth audit                          today (UTC), the newest last
  berth audit --day 2026-11-20 --limit 20
  berth audit --day all --json

--limit keeps the newest of what was asked for. --json holds what stood there before and after each change in full.
`;

/** Longest text of a change in a table, in characters. */
const CHANGE_MAX = 120;

/** `berth audit`: who changed what, and when. */
export function addAuditCommand(program: Command, context: Context): void {
  addServerOptions(program.command("audit"))
    .description("Who changed what, and when")
    .addOption(new Option("--day <day>", "YYYY-MM-DD, UTC, or all; today unless said").argParser(parseDay))
    .addOption(new Option("--limit <count>", "the newest so many").argParser(parseCount("--limit", 1_000_000)))
    .option("--json", "one JSON document")
    .addHelpText("after", HELP)
    .action((options: AuditOptions) => listAudit(options, context));
}

function parseDay(text: string): string {
  if (text === "all") return text;
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
  if (isDay && new Date(text).toISOString().startsWith(text)) return text;
  throw new BerthError("usage_bad_value", `Cannot read --day ${JSON.stringify(text.slice(0, 80))}`, {
    place: "--day",
    expected: "a day such as 2026-11-20, or all",
  });
}

async function listAudit(options: AuditOptions, context: Context): Promise<void> {
  const { control } = openLink(options, context);
  const day = options.day ?? new Date(context.world.nowMs()).toISOString().slice(0, 10);
  const filter = day === "all" ? {} : { day };
  const { generation, items } = await readAllPages((query) => control.listAudit({ ...query, ...filter }));
  const newest = options.limit === undefined ? items : items.slice(-options.limit);
  const shown = {
    head: ["WHEN", "WHO", "ACTION", "TARGET", "CHANGE"],
    rows: newest.map(auditRow),
    nouns: ["change", "changes"],
  } as const;
  const text = options.json === true ? formatJson("audit/v1", { generation, items: newest }) : formatList(shown);
  context.output.write(`${text}\n`);
}

function auditRow({ atMs, principal, action, target, before, after }: AuditItem): readonly string[] {
  return [formatInstant(atMs), principal, action, target, changeWords(before, after)];
}

function changeWords(before: unknown, after: unknown): string {
  if (before === null && after === null) return "";
  const text = before === null ? JSON.stringify(after) : `${JSON.stringify(before)} -> ${JSON.stringify(after)}`;
  return text.length > CHANGE_MAX ? `${text.slice(0, CHANGE_MAX)}…` : text;
}
