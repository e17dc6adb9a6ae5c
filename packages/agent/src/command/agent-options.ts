// SPDX-License-Identifier: Apache-2.0

import { hostname } from "node:os";
import { parseArgs } from "node:util";
import { BerthError } from "@berth/core/protocol/berth-error";

/** What an agent is told when it starts. */
export interface AgentOptions {
  /** Addresses of the servers, in the order in which they are tried; empty: those that it was enrolled with. */
  readonly servers: readonly string[];
  /** A one-time token; absent: the host has been enrolled. */
  readonly token?: string;
  /** The host's name in the fleet. */
  readonly host: string;
  readonly stateDirectory: string;
  readonly rescanSeconds: number;
  /** Who makes mdev devices. */
  readonly tool: "sysfs" | "mdevctl";
  /** The host's file system. */
  readonly root: string;
  /** Where fact scripts are; below the root. */
  readonly factsDirectory: string;
  /** PEM file of the authority of the servers, where no token pins it. */
  readonly caFile?: string;
}

export const DEFAULT_STATE = "/var/lib/berth-agent";
export const DEFAULT_FACTS = "/etc/berth/facts.d";
export const DEFAULT_RESCAN_SECONDS = 30;

const HOST_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/;

export const AGENT_HELP: string = `Usage: berth-agent run [options]
       berth-agent enrol --server URL --token-file FILE [options]
       berth-agent host [--root DIR]

Reports this host's VFIO devices to Berth's servers and makes those that are claimed. Dials out only.

Options:
  --server URL          a server (repeatable: the next one is tried when one is slow); as enrolled unless given
  --token TEXT          the one-time token of "berth agents enrol HOST"; others can see it in the process list,
  --token-file FILE     so better in a file of mode 0600, or in BERTH_AGENT_TOKEN
  --name HOST           the host's name in the fleet (${"its host name"} unless given)
  --state DIR           credential, fences and journals (${DEFAULT_STATE})
  --rescan SECONDS      how often the host is read besides uevents (${DEFAULT_RESCAN_SECONDS})
  --tool sysfs|mdevctl  who makes mdev devices (sysfs; mdevctl keeps definitions and runs call-outs)
  --facts DIR           fact scripts (${DEFAULT_FACTS})
  --ca FILE             the servers' authority as PEM, where the token pins none
  --root DIR            another file system than /, for tests and simulated hosts

Examples:
  berth-agent run --server https://berth.example:7411 --token-file token-file     first start: enrols, then runs
  berth-agent run                                                                  ever after
  berth-agent host                                                                 what this host shows, as JSON
`;

/** Reads the arguments of `run` and `enrol`; options that are not given may stand in the environment as BERTH_AGENT_... */
export function parseAgentOptions(
  args: readonly string[],
  { env, readToken }: { readonly env: NodeJS.ProcessEnv; readonly readToken: (path: string) => string },
): AgentOptions {
  const values = parseValues(args);
  const said = (name: keyof typeof values): string | undefined => {
    const value = values[name];
    return typeof value === "string" ? value : env[`BERTH_AGENT_${name.toUpperCase().replace("-", "_")}`];
  };
  const tokenFile = said("token-file");
  const token = said("token") ?? (tokenFile === undefined ? undefined : readToken(tokenFile));
  const ca = said("ca");
  return {
    servers: values.server ?? env["BERTH_AGENT_SERVER"]?.split(/[\s,]+/).filter((text) => text !== "") ?? [],
    ...(token === undefined ? {} : { token: token.trim() }),
    host: requireMatch("name", said("name") ?? hostname(), HOST_NAME),
    stateDirectory: said("state") ?? DEFAULT_STATE,
    rescanSeconds: Number(requireMatch("rescan", said("rescan") ?? String(DEFAULT_RESCAN_SECONDS), /^[1-9]\d{0,4}$/)),
    tool: requireMatch("tool", said("tool") ?? "sysfs", /^(?:sysfs|mdevctl)$/) as AgentOptions["tool"],
    root: said("root") ?? "/",
    factsDirectory: said("facts") ?? DEFAULT_FACTS,
    ...(ca === undefined ? {} : { caFile: ca }),
  };
}

function parseValues(args: readonly string[]) {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        server: { type: "string", multiple: true },
        token: text,
        "token-file": text,
        name: text,
        state: text,
        rescan: text,
        tool: text,
        facts: text,
        ca: text,
        root: text,
      },
    }).values;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "an argument is wrong";
    throw new BerthError("usage_unknown_option", why.replace(/\.$/, ""), { expected: "what --help shows", cause });
  }
}

function requireMatch(name: string, value: string, pattern: RegExp): string {
  if (pattern.test(value)) return value;
  throw new BerthError("usage_bad_value", `Cannot read --${name} ${JSON.stringify(value.slice(0, 80))}`, {
    place: `--${name}`,
    expected: "what --help shows",
  });
}
