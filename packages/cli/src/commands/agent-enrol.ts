// SPDX-License-Identifier: Apache-2.0

import { Option, type Command } from "commander";
import { readAllPages } from "@berth/core/protocol/api/client";
import type { AgentItem, AgentLife, EnrolmentAnswer } from "@berth/core/protocol/api/control-answers";
import { isLoopback } from "@berth/server/access/loopback";
import type { ConnectionOptions } from "../connect/connection.ts";
import { parseDuration } from "../input/duration.ts";
import type { Context } from "../program.ts";
import { formatInstant } from "../render/instant.ts";
import { formatJson } from "../render/json.ts";
import { formatList } from "../render/list-text.ts";
import { formatOrder } from "../render/order-text.ts";
import { printable } from "../render/table.ts";
import { heading } from "../render/words.ts";
import { addServerOptions, openLink } from "./options.ts";

interface AgentOptions extends ConnectionOptions {
  /** Seconds. */
  readonly ttl?: number;
  readonly json?: true;
}

const HELP = `
Examples:
  berth agents                                who is heard, who is silent
  berth agents enrol rack1-n2 --ttl 2h        a one-time token, and what to type on the host
  berth agents revoke rack1-n2                its credential is refused from now on
`;

/** An agent's life in words. */
const LIFE_WORDS: Readonly<Record<AgentLife, string>> = {
  connected: "connected",
  silent: "silent",
  never: "has never reported",
  conflict: "conflict: two agents use one credential",
  revoked: "revoked",
};

/** `berth agents`, `berth agents enrol` and `berth agents revoke`. */
export function addAgentsCommand(program: Command, context: Context): void {
  const agents = addServerOptions(program.command("agents"))
    .description("The agents of all hosts; enrol one, or take its credential back")
    .option("--json", "one JSON document")
    .addHelpText("after", HELP)
    .action((options: AgentOptions) => listAgents(options, context));
  agents
    .command("enrol")
    .configureHelp({ showGlobalOptions: true })
    .description("Draw a one-time token with which the agent of a host is let in")
    .argument("<host>", "the name that the host is to have")
    .addOption(
      new Option("--ttl <duration>", "how long the token may be used; 1h unless said").argParser(
        parseDuration("--ttl", { min: 60, max: 604_800 }),
      ),
    )
    .addHelpText("after", "\nExamples:\n  berth agents enrol rack1-n2\n  berth agents enrol rack1-n2 --ttl 2h --json\n")
    .action((host: string, _own: object, command: Command) => enrol(host, command.optsWithGlobals(), context));
  agents
    .command("revoke")
    .configureHelp({ showGlobalOptions: true })
    .description("Refuse the agent of a host from now on")
    .argument("<host>", "the name of a host")
    .addHelpText(
      "after",
      "\nExamples:\n  berth agents revoke rack1-n2\n\nIts claims stay: nobody has proved that nothing is left there.\n",
    )
    .action((host: string, _own: object, command: Command) => revoke(host, command.optsWithGlobals(), context));
}

async function listAgents(options: AgentOptions, context: Context): Promise<void> {
  const { control } = openLink(options, context);
  const { generation, items } = await readAllPages((query) => control.listAgents(query));
  const head = ["HOST", "AGENT", "VERSION", "GENERATION", "LAST CHANGE", "ENROLLED", "BY", "NOTE"];
  const shown = { head, rows: items.map(agentRow), nouns: ["agent", "agents"] } as const;
  const text = options.json === true ? formatJson("agents/v1", { generation, items }) : formatList(shown);
  context.output.write(`${text}\n`);
}

function agentRow(agent: AgentItem): readonly string[] {
  return [
    agent.host,
    LIFE_WORDS[agent.life],
    agent.version ?? "-",
    String(agent.generation),
    agent.reportedAtMs === null ? "-" : formatInstant(agent.reportedAtMs),
    formatInstant(agent.enrolledAtMs),
    agent.enrolledBy,
    agent.notices.map(({ reason }) => reason.text).join("; "),
  ];
}

async function enrol(host: string, options: AgentOptions, context: Context): Promise<void> {
  const { control, url } = openLink(options, context);
  const ttl = options.ttl === undefined ? {} : { ttlSeconds: options.ttl };
  const answer = await control.makeEnrolment({ host, ...ttl });
  const command = `BERTH_AGENT_TOKEN=${answer.token} berth-agent run --server ${url.href.replace(/\/$/, "")} --name ${answer.host}`;
  const text =
    options.json === true ? formatJson("enrolment/v1", { ...answer, command }) : formatEnrolment(answer, command, url);
  context.output.write(`${text}\n`);
}

function formatEnrolment({ host, expiresAtMs }: EnrolmentAnswer, command: string, url: URL): string {
  const local = isLoopback(url.hostname)
    ? ["", "That URL is this machine's own: put the one in its place under which the host reaches the server."]
    : [];
  return [
    `${heading(`Type this on ${printable(host)} as root`)}, once, before ${formatInstant(expiresAtMs)}; the token is not shown again:`,
    "",
    `  ${command}`,
    ...local,
  ].join("\n");
}

async function revoke(host: string, options: AgentOptions, context: Context): Promise<void> {
  const answer = await openLink(options, context).control.revokeAgent(host);
  const words = answer.changed ? "is refused from now on" : "was refused already";
  const text = formatOrder(answer, `The agent of ${answer.host} ${words}`);
  context.output.write(`${options.json === true ? formatJson("order/v1", answer) : text}\n`);
}
