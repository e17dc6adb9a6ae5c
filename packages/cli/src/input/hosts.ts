// SPDX-License-Identifier: Apache-2.0

import { hostname } from "node:os";
import { readHost } from "@berth/agent/discovery/read-host";
import { openRoot } from "@berth/agent/host/open-root";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { BerthError } from "@berth/core/protocol/berth-error";
import { readDemoHosts } from "./demo-fleet.ts";

/** One `--host NAME=ROOT`. */
export interface HostArgument {
  readonly name: string;
  readonly root: string;
}

const HOST_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/;

/** Reads `NAME=ROOT`; the root is a folder or a tarball. */
export function parseHostArgument(text: string): HostArgument {
  const equals = text.indexOf("=");
  const name = text.slice(0, Math.max(equals, 0));
  const root = text.slice(equals + 1);
  if (equals > 0 && HOST_NAME.test(name) && root !== "") return { name, root };
  throw new BerthError("bad_host_argument", `Cannot read --host ${JSON.stringify(text)}`, {
    place: "--host",
    expected: "NAME=ROOT, where NAME is letters, digits, dot, dash or underscore and ROOT a folder or a .tgz",
  });
}

/** The hosts that a command line names. */
export interface HostOptions {
  /** Each `NAME=ROOT`. */
  readonly host: readonly string[];
  /** Add the hosts of `berth demo`. */
  readonly demo?: true;
}

/** Reads every host given, in the order given, then the demo's where it is asked for. */
export function readHosts(options: HostOptions): readonly HostSnapshot[] {
  const demo = options.demo === true ? readDemoHosts() : [];
  const hosts = options.host.map(parseHostArgument);
  const names = new Set<string>(demo.map((snapshot) => snapshot.host));
  for (const { name } of hosts) {
    if (names.has(name)) {
      throw new BerthError("duplicate_host", `Host ${JSON.stringify(name)} is given twice`, {
        place: "--host",
        expected: "a name of its own for each root",
      });
    }
    names.add(name);
  }
  return [...hosts.map(({ name, root }) => readHost(openRoot(root), name)), ...demo];
}

/** Reads one host: the live one by default, under its own name. A name that is given is one that --host would take. */
export function readOneHost(root: string | undefined, name: string | undefined): HostSnapshot {
  if (name !== undefined && !HOST_NAME.test(name)) {
    throw new BerthError("usage_bad_value", `Cannot read --name ${JSON.stringify(name.slice(0, 80))}`, {
      place: "--name",
      expected: "letters, digits, dot, dash or underscore, the first a letter or digit",
    });
  }
  return readHost(openRoot(root ?? "/"), name ?? (root === undefined ? hostname() : nameOfRoot(root)));
}

/** `captures/host-a.tgz` is called `host-a`. */
function nameOfRoot(root: string): string {
  const last = root.split("/").findLast((part) => part !== "" && part !== "." && part !== "..") ?? "";
  const name = last.replace(/\.(?:tgz|tar\.gz|tar)$/, "");
  return HOST_NAME.test(name) ? name : "captured";
}
