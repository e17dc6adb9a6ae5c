// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { hostname } from "node:os";
import { describe, it } from "node:test";
import { AGENT_HELP, parseAgentOptions, type AgentOptions } from "./agent-options.ts";

const NAMED = ["--name", "h1"];
const DEFAULTS: AgentOptions = {
  servers: [],
  host: "h1",
  stateDirectory: "/var/lib/berth-agent",
  rescanSeconds: 30,
  tool: "sysfs",
  root: "/",
  factsDirectory: "/etc/berth/facts.d",
};

function parse(args: readonly string[], env: NodeJS.ProcessEnv = {}): AgentOptions {
  return parseAgentOptions(args, { env, readToken: (path) => `token in ${path}` });
}

interface Case {
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly expected: Partial<AgentOptions>;
}

const READ: Readonly<Record<string, Case>> = {
  "takes defaults for what is not given": { args: NAMED, expected: {} },
  "keeps the order of several servers": {
    args: [...NAMED, "--server", "https://b", "--server", "https://a"],
    expected: { servers: ["https://b", "https://a"] },
  },
  "reads servers of the environment, apart by spaces or commas": {
    args: NAMED,
    env: { BERTH_AGENT_SERVER: "https://a, https://b  https://c" },
    expected: { servers: ["https://a", "https://b", "https://c"] },
  },
  "prefers an argument to the environment": {
    args: [...NAMED, "--state", "/a", "--server", "https://a"],
    env: { BERTH_AGENT_STATE: "/b", BERTH_AGENT_SERVER: "https://b" },
    expected: { stateDirectory: "/a", servers: ["https://a"] },
  },
  "reads everything else of the environment": {
    args: [],
    env: {
      BERTH_AGENT_NAME: "h2",
      BERTH_AGENT_TOOL: "mdevctl",
      BERTH_AGENT_RESCAN: "5",
      BERTH_AGENT_FACTS: "/facts",
      BERTH_AGENT_CA: "/ca.pem",
      BERTH_AGENT_ROOT: "/tree",
      BERTH_AGENT_TOKEN: " t \n",
    },
    expected: {
      host: "h2",
      tool: "mdevctl",
      rescanSeconds: 5,
      factsDirectory: "/facts",
      caFile: "/ca.pem",
      root: "/tree",
      token: "t",
    },
  },
  "reads a token from its file": {
    args: [...NAMED, "--token-file", "/f"],
    expected: { token: "token in /f" },
  },
  "reads a token file that the environment names": {
    args: NAMED,
    env: { BERTH_AGENT_TOKEN_FILE: "/f" },
    expected: { token: "token in /f" },
  },
  "prefers a token to a file with one": {
    args: [...NAMED, "--token", "t", "--token-file", "/f"],
    expected: { token: "t" },
  },
};

const REFUSED: Readonly<Record<string, { readonly args: readonly string[]; readonly code: string }>> = {
  "an option that there is not": { args: ["--sever", "https://a"], code: "usage_unknown_option" },
  "an argument without an option": { args: ["https://a"], code: "usage_unknown_option" },
  "an option without its value": { args: ["--server"], code: "usage_unknown_option" },
  "a name with a slash": { args: ["--name", "a/b"], code: "usage_bad_value" },
  "an empty name": { args: ["--name", ""], code: "usage_bad_value" },
  "a name of 254 characters": { args: ["--name", "a".repeat(254)], code: "usage_bad_value" },
  "a rescan of nothing": { args: [...NAMED, "--rescan", "0"], code: "usage_bad_value" },
  "a rescan that is no whole number": { args: [...NAMED, "--rescan", "1.5"], code: "usage_bad_value" },
  "a tool that there is not": { args: [...NAMED, "--tool", "virsh"], code: "usage_bad_value" },
};

describe("parseAgentOptions()", () => {
  for (const [name, { args, env, expected }] of Object.entries(READ)) {
    it(name, () => {
      assert.deepEqual(parse(args, env), { ...DEFAULTS, ...expected });
    });
  }

  it("takes the machine's own name where none is given", () => {
    assert.equal(parse([]).host, hostname());
  });

  for (const [name, { args, code }] of Object.entries(REFUSED)) {
    it(`refuses ${name}`, () => {
      assert.throws(() => parse(args), { code });
    });
  }
});

describe("AGENT_HELP", () => {
  it("names every option, and no other", () => {
    const named = new Set([...AGENT_HELP.matchAll(/--[a-z-]+/g)].map(([option]) => option));
    for (const option of named) {
      assert.doesNotThrow(
        () => parse([...NAMED, option, { "--tool": "sysfs", "--rescan": "7" }[option] ?? "a"]),
        option,
      );
    }
    assert.equal(named.size, 10);
  });
});
