// SPDX-License-Identifier: Apache-2.0

import { fileURLToPath } from "node:url";
import { readHost } from "@berth/agent/discovery/read-host";
import { openRoot } from "@berth/agent/host/open-root";
import { known } from "@berth/core/device/evidence";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { BerthError } from "@berth/core/protocol/berth-error";
import { DEMO_FLEET } from "@berth/simulator/machine/examples";
import { simulateHost } from "@berth/simulator/machine/host";

/** The captured hosts of the demo, by the name they have there. Real kernels with sample drivers; fixtures/sysfs/README.md. */
const CAPTURED: Readonly<Record<string, string>> = {
  "host-a": "linux-6.12-host-a.tgz",
  "host-b": "linux-6.12-host-b.tgz",
};

/** Names of the captured hosts of the demo, sorted. */
export const CAPTURED_HOSTS: readonly string[] = Object.keys(CAPTURED);

/** What fact scripts would say on the simulated hosts, which have no hypervisor that could be asked. */
export const HYPERVISOR_FACTS: Readonly<Record<string, string>> = {
  qemu_version: "10.0.13",
  libvirt_version: "11.3.0",
};

/** Where captured trees are: in this repository, or beside the program that was shipped. */
const FOLDER: string = import.meta.url.endsWith(".ts") ? "../../../../fixtures/sysfs" : "./fixtures/sysfs";

/** Path of a captured host's tarball. */
export function capturedPath(name: keyof typeof CAPTURED): string {
  return fileURLToPath(new URL(`${FOLDER}/${CAPTURED[name]}`, import.meta.url));
}

/** The demo's hosts: simulated ones, read by the same code as real ones, beside the two captured ones. */
export function readDemoHosts(): readonly HostSnapshot[] {
  const simulated = DEMO_FLEET.map((spec) => withHypervisor(readHost(simulateHost(spec).tree, spec.name)));
  const captured = CAPTURED_HOSTS.map((name) => readHost(openRoot(capturedPath(name)), name));
  return [...simulated, ...captured];
}

/** One host of the demo. */
export function readDemoHost(name: string): HostSnapshot {
  const hosts = readDemoHosts();
  const found = hosts.find((snapshot) => snapshot.host === name);
  if (found !== undefined) return found;
  throw new BerthError("unknown_host", `The demo has no host ${JSON.stringify(name)}`, {
    place: "--demo",
    expected: `one of ${hosts.map((snapshot) => snapshot.host).join(", ")}`,
  });
}

/** Adds what fact scripts would say. */
function withHypervisor(snapshot: HostSnapshot): HostSnapshot {
  const facts = Object.entries(HYPERVISOR_FACTS).map(([name, value]) => {
    return [name, known(value, { host: snapshot.host, source: "script", path: "simulated hypervisor", text: value })];
  });
  return { ...snapshot, facts: { ...snapshot.facts, ...Object.fromEntries(facts) } };
}
