// SPDX-License-Identifier: Apache-2.0

import { Worker } from "node:worker_threads";

import { BerthError } from "@berth/core/protocol/berth-error";

import { parseWireError } from "./sqlite-error.ts";
import type { Answered, QuestionName, Questions, Ready, WorkerStart } from "./worker-messages.ts";

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

/** The worker is a file beside this one: a source in a checkout, bundled where the program was shipped. */
const SUFFIX: string = import.meta.url.endsWith(".ts") ? ".ts" : ".mjs";

/** A thread of the store, asked by messages. When it ends, every question is answered with `store_unavailable`. */
export class WorkerLink {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended: Promise<void>;
  #asked = 0;
  #end: BerthError | undefined;

  private constructor(start: WorkerStart) {
    this.#worker = new Worker(new URL(`./store-worker${SUFFIX}`, import.meta.url), { workerData: start });
    this.#worker.on("message", (message: Answered) => this.#settle(message));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#ended = new Promise((resolve) => {
      this.#worker.on("exit", () => {
        this.#fail(undefined);
        resolve();
      });
    });
  }

  /** Starts the thread and waits until it has opened its file. */
  static async open(start: WorkerStart): Promise<{ readonly link: WorkerLink; readonly ready: Ready }> {
    const link = new WorkerLink(start);
    try {
      const ready = await new Promise<Ready>((resolve, reject) => link.#waiting.set(0, { resolve, reject }));
      return { link, ready };
    } catch (error) {
      await link.#ended;
      throw error;
    }
  }

  ask<Name extends QuestionName>(name: Name, ask: Questions[Name]["ask"]): Promise<Questions[Name]["answer"]> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, name, ask });
    });
  }

  /** Lets the thread finish what it was asked, close its file and end. */
  async close(): Promise<void> {
    if (this.#end === undefined) await this.ask("close", null).catch(() => null);
    await this.#ended;
  }

  #settle(message: Answered): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === "error") waiting?.reject(parseWireError(message.error));
    else waiting?.resolve(message.answer as never);
  }

  #fail(cause: unknown): void {
    const why = cause instanceof Error ? `: ${cause.message}` : "";
    this.#end ??= new BerthError("store_unavailable", `A thread of the store has ended${why}`, { cause });
    for (const waiting of this.#waiting.values()) waiting.reject(this.#end);
    this.#waiting.clear();
  }
}
