// SPDX-License-Identifier: Apache-2.0

import { Option, type Command } from "commander";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { HostOptions } from "../input/hosts.ts";
import type { StatementOptions } from "../input/statements.ts";
import type { Context } from "../program.ts";
import { addHostOption, addStatementOptions, collect } from "./options.ts";

/** What `berth server` is told. */
export interface ServerOptions extends StatementOptions, HostOptions, StoreOptions, TlsOptions {
  readonly listen: ListenAddress;
  readonly tokens?: string;
  /** Seconds. */
  readonly rescan: number;
}

/** Where a server keeps what it must not forget. */
export interface StoreOptions {
  readonly data?: string;
  /** Members of a cluster; none: one SQLite file in the data directory. */
  readonly etcd: readonly string[];
  readonly etcdCa?: string;
  readonly etcdCert?: string;
  readonly etcdKey?: string;
}

/** Files of a server's certificate. */
export interface TlsOptions {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
  readonly behindTlsProxy?: true;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export const DEFAULT_LISTEN = "127.0.0.1:7411";
const DEFAULT_RESCAN = 30;

const HELP = `
Examples:
  berth server                                            one SQLite file, http://${DEFAULT_LISTEN}, this machine alone
  berth server --data /srv/berth --listen 0.0.0.0:7411 --tls-cert server.pem --tls-key server.key --tls-ca ca.pem
  berth server --etcd https://e1:2379 --etcd https://e2:2379 --etcd https://e3:2379 --etcd-ca ca.pem ...
  berth server --demo                                     show the demo's hosts as files show them: no store, no claims
  berth server --host a=captures/a --host b=captures/b    the same for captured hosts

The first start makes the tokens file with one administrator, whose token is in admin.token in the data directory: the
berth commands of the same user on this machine find it there. Open /docs in a browser for the API, or read docs/api.md.
SIGHUP reads tokens (and captured hosts) again; Ctrl-C ends the server and all of its streams. Agents: berth agents enrol HOST.
Every option but --host can be given as BERTH_..., such as BERTH_DATA or BERTH_TLS_CERT. docs/operations.md has the whole story.
`;

/** `berth server`: the control plane, or the read side of the API over captured hosts. */
export function addServerCommand(program: Command, context: Context): void {
  const command = program.command("server").description("Run the control plane: inventory, claims and the HTTP API");
  addTlsOptions(addStoreOptions(addStatementOptions(addHostOption(command))))
    .addOption(
      new Option("--listen <address:port>", "where to listen; port 0 takes any that is free")
        .env("BERTH_LISTEN")
        .argParser(parseListen)
        .default(parseListen(DEFAULT_LISTEN), DEFAULT_LISTEN),
    )
    .addOption(
      new Option(
        "--tokens <file>",
        "who may ask: JSON, docs/api.md; tokens.json in the data directory unless said",
      ).env("BERTH_TOKENS"),
    )
    .addOption(
      new Option("--rescan <seconds>", "how often captured hosts are read again")
        .argParser(parseRescan)
        .default(DEFAULT_RESCAN),
    )
    .addHelpText("after", HELP)
    .action(async (options: ServerOptions) => {
      // Loaded only here: no other command waits for the HTTP library.
      const { runServer } = await import("../serve/run-server.ts");
      await runServer(options, context);
    });
}

function addStoreOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--data <dir>", "data directory; /var/lib/berth for root, else ~/.local/share/berth").env(
        "BERTH_DATA",
      ),
    )
    .addOption(
      new Option("--etcd <url>", "a member of the etcd cluster that is the store (repeatable); docs/etcd.md")
        .env("BERTH_ETCD")
        .argParser(collect)
        .default([], "none"),
    )
    .addOption(new Option("--etcd-ca <file>", "who signs the members' certificates: PEM").env("BERTH_ETCD_CA"))
    .addOption(new Option("--etcd-cert <file>", "the certificate shown to etcd: PEM").env("BERTH_ETCD_CERT"))
    .addOption(new Option("--etcd-key <file>", "its key: PEM").env("BERTH_ETCD_KEY"));
}

function addTlsOptions(command: Command): Command {
  return command
    .addOption(new Option("--tls-cert <file>", "the server's certificate chain: PEM").env("BERTH_TLS_CERT"))
    .addOption(new Option("--tls-key <file>", "its key: PEM").env("BERTH_TLS_KEY"))
    .addOption(
      new Option("--tls-ca <file>", "the authority that agents pin: PEM; the chain's last unless said").env(
        "BERTH_TLS_CA",
      ),
    )
    .addOption(
      new Option(
        "--behind-tls-proxy",
        "plain HTTP on an address that others reach: a proxy in front of it has TLS",
      ).env("BERTH_BEHIND_TLS_PROXY"),
    );
}

/** Reads `ADDRESS:PORT`. Throws BerthError usage_bad_value. */
export function parseListen(text: string): ListenAddress {
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
