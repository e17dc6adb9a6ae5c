// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "@berth/core/protocol/berth-error";
import type { FleetView } from "@berth/server/inventory/fleet-view";
import { readHosts, type HostOptions } from "../input/hosts.ts";
import type { StatementOptions } from "../input/statements.ts";
import { makeView } from "./inventory.ts";

/** The hosts of a command line in a view, read again whenever that is asked for. */
export class CapturedView {
  readonly view: FleetView;
  readonly #options: HostOptions & { readonly rescan: number };
  /** When every host could last be read, milliseconds. */
  #readAtMs: number;

  /** Reads every host once; throws BerthError where one cannot be read. */
  constructor(options: StatementOptions & HostOptions & { readonly rescan: number }) {
    this.#options = options;
    this.view = makeView(options);
    for (const snapshot of readHosts(options)) this.view.putSnapshot(snapshot);
    this.#readAtMs = Date.now();
  }

  /** Reads every host again, except the demo's, which do not change. One that cannot be read stays as it was seen. */
  rescan(nowMs: number): readonly BerthError[] {
    const failures: BerthError[] = [];
    for (const host of this.#options.host) {
      try {
        for (const snapshot of readHosts({ host: [host] })) this.view.putSnapshot(snapshot);
      } catch (error) {
        if (!(error instanceof BerthError)) throw error;
        failures.push(error);
      }
    }
    if (failures.length === 0) this.#readAtMs = nowMs;
    return failures;
  }

  /** How much later than it should have been the last whole reading is. */
  lagSeconds(nowMs: number): number {
    return Math.max(0, (nowMs - this.#readAtMs) / 1000 - this.#options.rescan);
  }
}
