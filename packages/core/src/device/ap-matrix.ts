// SPDX-License-Identifier: Apache-2.0

import type { Reading } from "./evidence.ts";

/** One AP queue: adapter (card) and usage domain, both 0..255. */
export interface Apqn {
  readonly adapter: number;
  readonly domain: number;
}

/** The AP configuration of a vfio-ap device (Documentation/arch/s390/vfio-ap.rst). */
export interface ApMatrix {
  /** Queues as assigned. A line that names only adapters or only domains holds no queue and is left out. */
  readonly matrix: Reading<readonly Apqn[]>;
  /** Queues that the guest sees: those of `matrix` that the host has now. */
  readonly guestMatrix: Reading<readonly Apqn[]>;
  readonly controlDomains: Reading<readonly number[]>;
  /** Absent on kernels without `ap_config`. */
  readonly apConfig: Reading<ApConfig>;
}

/** The three masks of `ap_config`, as numbers in ascending order. In the text the leftmost bit is number 0. */
export interface ApConfig {
  readonly adapters: readonly number[];
  readonly domains: readonly number[];
  readonly controlDomains: readonly number[];
}

/** One AP queue of a host, as its driver binding and card show it. */
export interface ApQueue {
  readonly apqn: Apqn;
  /** Driver the queue is bound to: `vfio_ap`, a crypto driver of the host, or none. */
  readonly driver: Reading<string>;
  /** Card generation, such as 13 for CEX7 and 14 for CEX8 (`hwtype`). */
  readonly hardwareType: Reading<number>;
  /** `CEX8A` accelerator, `CEX8C` CCA coprocessor, `CEX8P` EP11 coprocessor (`type`). */
  readonly cardType: Reading<string>;
  /** `ap_functions` of the card: facility bits, raw. */
  readonly functions: Reading<string>;
}

/** The AP bus of an s390 host. */
export interface ApBus {
  readonly queues: readonly ApQueue[];
  /** Usage domains the host may control. */
  readonly controlDomains: Reading<readonly number[]>;
  readonly maxAdapterId: Reading<number>;
  readonly maxDomainId: Reading<number>;
  /** Adapters and domains reserved to host drivers (`apmask`, `aqmask`). */
  readonly hostAdapters: Reading<readonly number[]>;
  readonly hostDomains: Reading<readonly number[]>;
  /** Words of `/sys/bus/matrix/devices/matrix/features`. */
  readonly features: Reading<readonly string[]>;
}
