// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "@berth/core/device/quoted-text";
import { keyOf, type DocumentKind } from "../documents/keys.ts";
import type { Revision, StoredDocument } from "../store/store.ts";
import type { DocumentProblem, Held } from "./replica.ts";

type Row<T> = Held<T> | DocumentProblem;

/**
 * The documents of one kind by name, each read once. One that cannot be read is kept as the problem that it is: what
 * stood there before it is no longer true.
 */
export class DocumentTable<T> {
  readonly kind: DocumentKind;
  readonly #parse: (name: string, text: string) => T;
  readonly #rows = new Map<string, Row<T>>();
  readonly #problems = new Map<string, DocumentProblem>();
  #sorted: readonly Held<T>[] | undefined;

  constructor(kind: DocumentKind, parse: (name: string, text: string) => T) {
    this.kind = kind;
    this.#parse = parse;
  }

  put(name: string, { value, revision }: StoredDocument): void {
    const row = this.#read(name, value, revision);
    this.#rows.set(name, row);
    if ("document" in row) this.#problems.delete(name);
    else this.#problems.set(name, row);
    this.#sorted = undefined;
  }

  delete(name: string): void {
    this.#rows.delete(name);
    this.#problems.delete(name);
    this.#sorted = undefined;
  }

  has(name: string): boolean {
    return this.#rows.has(name);
  }

  /** Undefined where there is none, and where it cannot be read. */
  find(name: string): Held<T> | undefined {
    const row = this.#rows.get(name);
    return row !== undefined && "document" in row ? row : undefined;
  }

  findProblem(name: string): DocumentProblem | undefined {
    return this.#problems.get(name);
  }

  /** The revision of what stands there, readable or not. */
  revisionOf(name: string): Revision | undefined {
    return this.#rows.get(name)?.revision;
  }

  /** Names of all, in no order. */
  names(): Iterable<string> {
    return this.#rows.keys();
  }

  /** Those that can be read, sorted by name. */
  list(): readonly Held<T>[] {
    this.#sorted ??= [...this.#rows.keys()].toSorted().flatMap((name) => this.find(name) ?? []);
    return this.#sorted;
  }

  get hasProblems(): boolean {
    return this.#problems.size > 0;
  }

  /** Those that cannot be read, in no order. */
  problems(): Iterable<DocumentProblem> {
    return this.#problems.values();
  }

  #read(name: string, value: string, revision: Revision): Row<T> {
    try {
      return { document: this.#parse(name, value), revision };
    } catch (error) {
      // Whatever is wrong with one document, the others are followed.
      const key = keyOf(this.kind, name);
      const why = error instanceof Error ? error.message : String(error);
      return { key, revision, message: `${quoteText(key)} cannot be read: ${quoteText(why)}` };
    }
  }
}
