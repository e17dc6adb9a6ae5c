// SPDX-License-Identifier: Apache-2.0

import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { quoteText } from "@berth/core/device/quoted-text";
import type { Catalogue } from "@berth/core/report/fill-shape";
import type { Digest } from "@berth/core/report/inventory";
import { findMissingShapes, joinSnapshot } from "@berth/core/report/join-snapshot";
import { unreadableHost } from "../inventory/unreadable-host.ts";
import type { StoredDocuments } from "./stored-documents.ts";

interface JoinedHost {
  /** Of the text that it was joined from; undefined where that could not be read. */
  readonly digest: Digest | undefined;
  readonly snapshot: HostSnapshot;
  /** It lacks shapes. */
  readonly waits: boolean;
}

/** What inventories come to. A host is joined when its inventory changes, and when shapes that it rests on come or go. */
export class JoinedHosts {
  readonly #documents: StoredDocuments;
  readonly #catalogue: Catalogue;
  readonly #hosts = new Map<string, JoinedHost>();
  readonly #waiting = new Set<string>();

  constructor(documents: StoredDocuments, catalogue: Catalogue) {
    this.#documents = documents;
    this.#catalogue = catalogue;
  }

  /** Hosts whose snapshot is another one now that these shapes came or went. */
  findMoved(shapes: ReadonlySet<Digest>): readonly string[] {
    if (shapes.size === 0) return [];
    const isGone = [...shapes].some((digest) => this.#catalogue.find(digest) === undefined);
    const lacking = isGone ? [...this.#hosts.keys()].filter((host) => this.#lacksShapes(host)) : [];
    return [...this.#waiting, ...lacking];
  }

  /** The snapshot of a host as its inventory says it now; undefined where it has none. */
  join(host: string): HostSnapshot | undefined {
    const joined = this.#joinOrRefuse(host);
    this.#waiting.delete(host);
    if (joined === undefined) {
      this.#hosts.delete(host);
      return undefined;
    }
    this.#hosts.set(host, joined);
    if (joined.waits) this.#waiting.add(host);
    return joined.snapshot;
  }

  #lacksShapes(host: string): boolean {
    const held = this.#documents.inventory.find(host);
    return held !== undefined && findMissingShapes(held.document.inventory, this.#catalogue).length > 0;
  }

  /** What cannot be joined is its own host's trouble alone. */
  #joinOrRefuse(host: string): JoinedHost | undefined {
    try {
      return this.#joinAnew(host);
    } catch (error) {
      const message = `${quoteText(`inventory/${host}`)} cannot be read: ${quoteText(String(error))}`;
      return { digest: undefined, snapshot: unreadableHost(host, message), waits: false };
    }
  }

  #joinAnew(host: string): JoinedHost | undefined {
    const problem = this.#documents.inventory.findProblem(host);
    if (problem !== undefined) {
      return { digest: undefined, snapshot: unreadableHost(host, problem.message), waits: false };
    }
    const held = this.#documents.inventory.find(host);
    if (held === undefined) return undefined;
    const { digest, inventory } = held.document;
    const before = this.#hosts.get(host);
    if (before?.digest === digest && !before.waits && !this.#lacksShapes(host)) return before;
    const joined = joinSnapshot(inventory, this.#catalogue);
    if (joined.kind === "joined") return { digest, snapshot: joined.snapshot, waits: false };
    const key = quoteText(`inventory/${host}`);
    if (joined.kind === "malformed") {
      const message = `${key} cannot be read: ${quoteText(joined.lines.join("; "))}`;
      return { digest, snapshot: unreadableHost(host, message), waits: false };
    }
    const [first] = joined.shapes;
    const message = `${key} cannot be read: ${joined.shapes.length} shapes are not in the catalogue, the first is ${quoteText(first)}`;
    return { digest, snapshot: unreadableHost(host, message), waits: true };
  }
}
