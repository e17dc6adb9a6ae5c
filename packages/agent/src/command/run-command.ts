// SPDX-License-Identifier: Apache-2.0

import * as fs from "node:fs";
import { hostname } from "node:os";
import { BerthError } from "@berth/core/protocol/berth-error";
import { readHost } from "../discovery/read-host.ts";
import { openRoot } from "../host/open-root.ts";
import { nameErrno } from "../provision/errno-name.ts";
import type { AgentLog } from "../uplink/agent-log.ts";
import packageJson from "../../package.json" with { type: "json" };
import { AGENT_HELP, parseAgentOptions, type AgentOptions } from "./agent-options.ts";
import { enrolHost, startHostAgent } from "./run-agent.ts";

/** Where the program writes, and what it is told from outside. */
export interface AgentOutput {
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/** Runs one `berth-agent` command line and answers its exit code: 0 done, 1 failed, 2 given wrongly. */
export async function runAgentCommand(args: readonly string[], output: AgentOutput): Promise<0 | 1 | 2> {
  try {
    return await runVerb(args, output);
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    output.writeError(formatError(error));
    return error.exitCode;
  }
}

async function runVerb([verb, ...rest]: readonly string[], output: AgentOutput): Promise<0 | 1 | 2> {
  if (verb === undefined || rest.includes("--help") || rest.includes("-h") || ["--help", "-h", "help"].includes(verb)) {
    output.write(AGENT_HELP);
    return verb === undefined ? 2 : 0;
  }
  switch (verb) {
    case "--version":
      output.write(`${packageJson.version}\n`);
      return 0;
    case "run":
      return runUntilStopped(optionsOf(rest), output);
    case "enrol": {
      const { host, server } = await enrolHost(optionsOf(rest));
      output.write(`Enrolled as ${host} at ${server}\n`);
      return 0;
    }
    case "host":
      output.write(`${JSON.stringify(showHost(rest), undefined, 2)}\n`);
      return 0;
    default:
      throw new BerthError("usage_unknown_command", `There is no command ${JSON.stringify(verb.slice(0, 80))}`, {
        expected: "run, enrol or host; --help explains them",
      });
  }
}

/** Runs the agent until SIGINT or SIGTERM, or until it ends by itself. */
export async function runUntilStopped(options: AgentOptions, output: AgentOutput): Promise<0> {
  const log: AgentLog = ({ level, code, text }) => {
    const said = `berth-agent: ${level === "info" ? "" : `${level}: `}${code === undefined ? "" : `${code}: `}${text}\n`;
    if (level === "info") output.write(said);
    else output.writeError(said);
  };
  const agent = await startHostAgent(options, log);
  const stop = (): void => void agent.stop();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  try {
    await agent.ended;
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
  return 0;
}

function showHost(args: readonly string[]): object {
  const { root } = optionsOf(args);
  return readHost(openRoot(root), hostname());
}

function optionsOf(args: readonly string[]): AgentOptions {
  return parseAgentOptions(args, { env: process.env, readToken: readTokenFile });
}

/** A token in a file that others can read is no secret any more. */
function readTokenFile(path: string): string {
  try {
    if ((fs.statSync(path).mode & 0o077) === 0) return fs.readFileSync(path, "utf8").trim();
  } catch (cause) {
    const code = nameErrno(cause) === "ENOENT" ? "file_not_found" : "file_unreadable";
    const message = `Cannot read ${path}: ${nameErrno(cause)}`;
    throw new BerthError(code, message, { place: path, expected: "a token", cause });
  }
  throw new BerthError("token_unsafe", `Others could read ${path}`, { place: path, expected: "a file of mode 0600" });
}

function formatError(error: BerthError): string {
  const lines = [`berth-agent: ${error.code}: ${error.message}`];
  if (error.place !== undefined && !error.message.includes(error.place)) lines.push(`  at: ${error.place}`);
  for (const detail of error.details) lines.push(`  - ${detail}`);
  if (error.expected !== undefined) lines.push(`  expected: ${error.expected}`);
  return `${lines.join("\n")}\n`;
}
