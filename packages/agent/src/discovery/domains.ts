// SPDX-License-Identifier: Apache-2.0

import { findHostdevs, type DomainFacts } from "@berth/core/xml/hostdev";
import { MAX_XML } from "@berth/core/xml/read-elements";
import { readQemuArguments } from "./qemu-command-line.ts";
import { listNames } from "./read-directory.ts";
import { evidenceOf, noteProblem, noteUnread } from "./scan.ts";
import type { Scan } from "./scan.ts";
import { findOwnerMark, type SeenDevice, type VmSighting } from "./vm-sighting.ts";

/** Where libvirt keeps its domains: stored ones, and the status of those that run. */
export const STORED_DOMAINS = "/etc/libvirt/qemu";
export const LIVE_DOMAINS = "/run/libvirt/qemu";

/** What libvirt's files tell. */
export interface SeenDomains {
  readonly vms: readonly VmSighting[];
  /** Why users may be missing, a phrase each. */
  readonly unseen: readonly string[];
}

/** Reads the domains that libvirt keeps as files. `virsh` is not run. */
export function readDomains(scan: Scan): SeenDomains {
  const unseen: string[] = [];
  const vms = ([STORED_DOMAINS, LIVE_DOMAINS] as const).flatMap((folder) => {
    if (scan.tree.list(folder).kind === "failed") unseen.push(`${folder} cannot be listed`);
    const names = listNames(scan, folder).filter((name) => name.endsWith(".xml"));
    return names.flatMap((name) => readDomain(scan, `${folder}/${name}`, unseen) ?? []);
  });
  return { vms, unseen };
}

function readDomain(scan: Scan, path: string, unseen: string[]): VmSighting | undefined {
  const read = scan.tree.read(path, MAX_XML);
  if (read.kind === "absent") return undefined;
  if (read.kind !== "text") {
    if (read.kind === "too-long") {
      const message = `The text is longer than ${MAX_XML} bytes`;
      noteProblem(scan, { code: "attribute_too_long", path, message, text: read.start.slice(0, 200) });
    } else noteUnread(scan, path, read);
    unseen.push(`${path} cannot be read`);
    return undefined;
  }
  const facts = findHostdevs(read.text);
  const [first] = facts.problems;
  if (first !== undefined) {
    const message = `The domain cannot be read whole: ${facts.problems.slice(0, 4).join("; ")}`;
    noteProblem(scan, { code: "attribute_malformed", path, message, text: read.text });
    unseen.push(`${path} cannot be read whole: ${first}`);
  }
  return sightingOf(scan, path, facts);
}

function sightingOf(scan: Scan, path: string, facts: DomainFacts): VmSighting {
  const evidence = evidenceOf(scan, path);
  const owner = findOwnerMark(facts.metadata, evidence);
  const ids = new Set([...facts.devices.map(({ id }) => id), ...readQemuArguments(facts.qemuArguments).devices]);
  const devices: readonly SeenDevice[] = [...ids].map((device) => ({
    device,
    how: "definition",
    evidence: evidenceOf(scan, path, { text: device }),
  }));
  return {
    from: path.startsWith(LIVE_DOMAINS) ? "live" : "stored",
    by: "libvirt",
    name: facts.name ?? (path.split("/").at(-1) ?? path).replace(/\.xml$/, ""),
    ...(facts.uuid === undefined ? {} : { uuid: facts.uuid }),
    ...(facts.pid === undefined ? {} : { pid: facts.pid }),
    ...(owner === undefined ? {} : { owner }),
    ...(facts.memoryKib === undefined ? {} : { memoryKib: facts.memoryKib }),
    ...(facts.hugepageKib === undefined ? {} : { hugepageKib: facts.hugepageKib }),
    devices,
    evidence,
  };
}
