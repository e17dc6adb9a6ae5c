// SPDX-License-Identifier: Apache-2.0

import type { TextReply } from "@berth/core/protocol/agent/agent-wire";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { Alarm } from "../store/alarm.ts";

/** How long an agent may take to tell a text. */
const TEXT_WAIT_MS = 10_000;
/** Most texts of one host that are waited for at once. */
const ASKED_MAX = 64;

interface Waiting {
  /** The agent was asked, and has not told yet. */
  isAsked: boolean;
  readonly settle: Set<(text: string | null) => void>;
}

/** Raw texts that stayed on hosts and that somebody wants to read. */
export interface TextAsks {
  /** The text of a path, null where the agent keeps none. Throws BerthError host_silent, too_many_streams. */
  ask(host: string, path: string): Promise<string | null>;
  /** Paths that the agent of a host is to be asked for; each is asked once. */
  takeUnasked(host: string): readonly string[];
  /** Takes in what an agent told. */
  hear(host: string, replies: readonly TextReply[]): void;
}

/** Opens the asks of one desk. `wake` ends the wait of a host's agent, so that it can be asked. */
export function makeTextAsks({
  alarm,
  wake,
}: {
  readonly alarm: Alarm;
  readonly wake: (host: string) => void;
}): TextAsks {
  const hosts = new Map<string, Map<string, Waiting>>();
  const forget = (host: string, path: string): void => {
    const paths = hosts.get(host);
    paths?.delete(path);
    if (paths?.size === 0) hosts.delete(host);
  };
  return {
    ask: (host, path) =>
      new Promise((resolve, reject) => {
        const paths = hosts.get(host) ?? new Map<string, Waiting>();
        const waiting = paths.get(path) ?? { isAsked: false, settle: new Set() };
        if (!paths.has(path) && paths.size >= ASKED_MAX) {
          reject(new BerthError("too_many_streams", `${ASKED_MAX} texts of ${JSON.stringify(host)} are waited for`));
          return;
        }
        hosts.set(host, paths.set(path, waiting));
        const settle = (text: string | null): void => {
          cancel();
          resolve(text);
        };
        const cancel = alarm(TEXT_WAIT_MS, () => {
          waiting.settle.delete(settle);
          if (waiting.settle.size === 0) forget(host, path);
          reject(silent(host));
        });
        waiting.settle.add(settle);
        wake(host);
      }),
    takeUnasked: (host) => {
      const unasked = [...(hosts.get(host) ?? [])].filter(([, { isAsked }]) => !isAsked);
      for (const [, waiting] of unasked) waiting.isAsked = true;
      return unasked.map(([path]) => path);
    },
    hear: (host, replies) => {
      for (const { path, text } of replies) {
        const waiting = hosts.get(host)?.get(path);
        forget(host, path);
        for (const settle of waiting?.settle ?? []) settle(text);
      }
    },
  };
}

function silent(host: string): BerthError {
  return new BerthError("host_silent", `The agent of ${JSON.stringify(host)} did not tell the text in time`, {
    expected: "an agent that this server hears",
  });
}
