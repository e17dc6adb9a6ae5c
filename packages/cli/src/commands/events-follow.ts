// SPDX-License-Identifier: Apache-2.0

import type { Command } from "commander";
import { parseEventId, type StreamEvent } from "@berth/core/protocol/api/event-stream";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { ConnectionOptions } from "../connect/connection.ts";
import { followEvents, readEvents, type FollowNews } from "../connect/follow-events.ts";
import type { ServerLink } from "../connect/server-link.ts";
import type { Context } from "../program.ts";
import { formatEvent, parseChangeMessage } from "../render/event-text.ts";
import { addServerOptions, openLink } from "./options.ts";

interface EventsOptions extends ConnectionOptions {
  readonly follow?: true;
  readonly since?: string;
  readonly json?: true;
}

const HELP = `
Examples:
  berth events --follow                             what changes from now on, until Ctrl-C
  berth events --since 5f0c9a:42                    what has changed since that event, then ends
  berth events --follow --since 5f0c9a:42 --json    one JSON document a line
  berth events                                      the id of now, for a later --since

A connection that breaks is opened again and goes on after the last event. RESET says that what was missed is not kept, or
that the store is another one: read everything again.
`;

/** `berth events`: what changes. */
export function addEventsCommand(program: Command, context: Context): void {
  addServerOptions(program.command("events"))
    .description("What changes: hosts, claims, agents, probes, one line a change")
    .option("--follow", "go on until Ctrl-C")
    .option("--since <id>", "after this event: EPOCH:REVISION, as a line begins")
    .option("--json", "one JSON document a line")
    .addHelpText("after", HELP)
    .action((options: EventsOptions) => showEvents(options, context));
}

async function showEvents(options: EventsOptions, context: Context): Promise<void> {
  checkSince(options.since);
  const link = openLink(options, context);
  const news =
    options.follow === true ? followEvents(link, options.since, context.world) : catchUp(link, options.since);
  for await (const each of news) {
    writeNews(each, options, context);
    if (context.output.isGone?.() === true) return;
  }
}

function writeNews(news: FollowNews, { json }: EventsOptions, { output }: Context): void {
  if (news.kind === "lost") {
    output.writeError(`berth: the connection broke: ${news.why}; again in ${news.waitMs / 1000} s\n`);
  }
  if (news.kind !== "event") return;
  const message = parseChangeMessage(news.event);
  if (json === true) output.write(`${JSON.stringify({ berth: "event/v1", event: news.event.event, ...message })}\n`);
  else output.write(formatEvent(news.event.event, message));
}

/**
 * What was missed, to the newest revision that the server had when it was asked. Where the last revisions changed nothing
 * that is told, a quiet stream is the end of it.
 */
async function* catchUp(link: Pick<ServerLink, "read">, since: string | undefined): AsyncGenerator<FollowNews> {
  const hello = await readHello(link);
  if (since === undefined) {
    yield { kind: "event", event: hello };
    return;
  }
  const { generation: now } = parseChangeMessage(hello);
  const from = parseEventId(since);
  if (from.epoch === now.epoch && from.revision === now.revision) return;
  for await (const news of readEvents(link, since)) {
    if (news.kind === "quiet") return;
    yield news;
    if (news.kind !== "event") continue;
    if (news.event.event === "reset" || parseChangeMessage(news.event).generation.revision >= now.revision) return;
  }
}

async function readHello(link: Pick<ServerLink, "read">): Promise<StreamEvent> {
  for await (const news of readEvents(link, undefined)) if (news.kind === "event") return news.event;
  throw new BerthError("server_answer_malformed", "The event stream ended before its first event", {
    place: "GET /v1/events",
    expected: "an answer of Berth's API, version 1",
  });
}

function checkSince(since: string | undefined): void {
  if (since === undefined) return;
  try {
    parseEventId(since);
  } catch (error) {
    throw new BerthError("usage_bad_value", `Cannot read --since ${JSON.stringify(since.slice(0, 80))}`, {
      place: "--since",
      expected: "EPOCH:REVISION, as the lines of berth events begin",
      cause: error,
    });
  }
}
