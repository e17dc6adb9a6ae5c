// SPDX-License-Identifier: Apache-2.0

/** How far to read ahead. */
export interface Ahead<T> {
  /** Most weight that may wait; an item that is heavier alone is still passed on. */
  readonly most: number;
  readonly weigh: (item: T) => number;
  /** Makes the source end. */
  readonly stop: () => void;
  /** Ends the reading at once, whether or not the source notices. */
  readonly signal?: AbortSignal;
}

/**
 * Reads a source without pause, however slow its reader is. When too much waits, the source is stopped, what was read is
 * still passed on, and the end follows: the reader begins anew from there. So the one who sends never waits for a reader:
 * etcd before 3.4.31 and 3.5.13 may skip revisions for one that keeps it waiting over a compaction. Nor does a reader who
 * leaves wait for the source to end: a connection that does not notice must not hold him.
 */
export async function* readAhead<T>(source: AsyncIterable<T>, ahead: Ahead<T>): AsyncGenerator<T> {
  const { most, weigh, stop, signal } = ahead;
  const waiting: T[] = [];
  let weight = 0;
  let wake = Promise.withResolvers<void>();
  let end: { readonly failure?: { readonly error: unknown } } | undefined;
  const reading = (async () => {
    for await (const item of source) {
      waiting.push(item);
      weight += weigh(item);
      if (weight > most) return;
      wake.resolve();
    }
  })().then(
    () => (end = {}),
    (error: unknown) => (end = { failure: { error } }),
  );
  void reading.then(() => wake.resolve());
  const leave = (): void => {
    end ??= {};
    wake.resolve();
  };
  signal?.addEventListener("abort", leave, { once: true });
  if (signal?.aborted === true) leave();
  try {
    for (;;) {
      const item = waiting.shift();
      if (item !== undefined) {
        weight -= weigh(item);
        yield item;
      } else if (end !== undefined) {
        if (end.failure !== undefined) throw end.failure.error;
        return;
      } else {
        wake = Promise.withResolvers<void>();
        await wake.promise;
      }
    }
  } finally {
    signal?.removeEventListener("abort", leave);
    stop();
  }
}
