// SPDX-License-Identifier: Apache-2.0

import { Option, type Command } from "commander";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { HostOptions } from "../input/hosts.ts";
import type { StatementOptions } from "../input/statements.ts";
import type { Context } from "../program.ts";
import { addHostOption, addStatementOptions } from "./options.ts";

/** What `berth server` is told. */
export interface ServerOptions extends StatementOptions, HostOptions {
  readonly listen: ListenAddress;
  readonly tokens?: string;
  /** Seconds. */
  readonly rescan: number;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

const DEFAULT_LISTEN = "127.0.0.1:7411";
const DEFAULT_RESCAN = 30;

const HELP = `
Examples:
  berth server --demo                                     the demo's hosts on http://${DEFAULT_LISTEN}
  berth server --host a=captures/a --host b=captures/b    these hosts, read again every ${DEFAULT_RESCAN} s
  berth server --host here=/ --rescan 5 --listen '[::1]:7500'
  berth server --host here=/ --listen 0.0.0.0:7411 --tokens tokens.json

Open /docs in a browser for the API, or read docs/api.md. Without --tokens only this machine can be served. SIGHUP reads
the hosts and the tokens again at once; Ctrl-C ends the server and all of its streams.
`;

/** `berth server`: the read API over the hosts that are given. */
export function addServerCommand(program: Command, context: Context): void {
  const command = program.command("server").description("Serve the HTTP API over hosts, and read them again and again");
  addStatementOptions(addHostOption(command))
    .addOption(
      new Option("--listen <address:port>", "where to listen; port 0 takes any that is free")
        .argParser(parseListen)
        .default(parseListen(DEFAULT_LISTEN), DEFAULT_LISTEN),
    )
    .option("--tokens <file>", "who may ask: JSON, docs/api.md")
    .addOption(
      new Option("--rescan <seconds>", "how often hosts are read again").argParser(parseRescan).default(DEFAULT_RESCAN),
    )
    .addHelpText("after", HELP)
    .action(async (options: ServerOptions) => {
      // Loaded only here: no other command waits for the HTTP library.
      const { runServer } = await import("../serve/run-server.ts");
      await runServer(options, context);
    });
}

function parseListen(text: string): ListenAddress {
  const found = /^(\[[0-9a-f:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/i.exec(text);
  const port = Number(found?.[2]);
  if (found?.[1] !== undefined && port <= 65535) return { host: found[1].replace(/^\[(.*)\]$/, "$1"), port };
  throw new BerthError("usage_bad_value", `Cannot read --listen ${JSON.stringify(text.slice(0, 80))}`, {
    place: "--listen",
    expected: `ADDRESS:PORT, such as ${DEFAULT_LISTEN} or [::1]:7411`,
  });
}

function parseRescan(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new BerthError("usage_bad_value", `Cannot read --rescan ${JSON.stringify(text.slice(0, 80))}`, {
    place: "--rescan",
    expected: "whole seconds from 1 to 99999",
  });
}
