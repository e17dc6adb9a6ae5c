// SPDX-License-Identifier: Apache-2.0

/**
 * The end of a desk, for all who wait there. An AbortSignal looks at every listener that it has when one more is added:
 * with as many as there are agents, each wait would cost as much as there are agents.
 */
export interface Closing {
  readonly isClosed: boolean;
  /** Calls back once, at the end. The answer forgets it. */
  onClose(stop: () => void): () => void;
  close(): void;
}

export function makeClosing(): Closing {
  const stops = new Set<() => void>();
  let isClosed = false;
  return {
    get isClosed() {
      return isClosed;
    },
    onClose: (stop) => {
      stops.add(stop);
      return () => stops.delete(stop);
    },
    close: () => {
      isClosed = true;
      for (const stop of stops) stop();
      stops.clear();
    },
  };
}
