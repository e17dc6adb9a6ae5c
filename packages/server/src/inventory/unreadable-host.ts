// SPDX-License-Identifier: Apache-2.0

import { unreadable } from "@berth/core/device/evidence";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import type { Problem } from "@berth/core/device/problem";

/** The problem that a host has with what is stored of it. */
export function documentProblem(host: string, message: string): Problem {
  return { code: "document_unreadable", host, path: "/", message };
}

/**
 * What is known of a host whose inventory cannot be read: that it is there, and nothing else. It offers no place, and it is
 * no empty host: its one problem says so.
 */
export function unreadableHost(host: string, message: string): HostSnapshot {
  const nowhere = unreadable(message, { host, source: "sysfs", path: "/" });
  return {
    host,
    kernel: { release: nowhere, version: nowhere },
    os: nowhere,
    parents: [],
    devices: [],
    functions: [],
    modules: [],
    virtualMachines: [],
    uses: [],
    unseenUsers: [message],
    facts: {},
    problems: [documentProblem(host, message)],
  };
}
