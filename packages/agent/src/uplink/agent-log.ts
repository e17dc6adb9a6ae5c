// SPDX-License-Identifier: Apache-2.0

/** One line of an agent's log; it never holds a secret. */
export interface AgentLogLine {
  readonly level: "info" | "warning" | "error";
  /** One sentence without a full stop. */
  readonly text: string;
  /** A code of docs/errors.md or docs/claims.md. */
  readonly code?: string;
}

export type AgentLog = (line: AgentLogLine) => void;

/** A log that says the same thing once in a row: what is tried again and again fails with one line. */
export function logChanges(log: AgentLog): AgentLog {
  let last = "";
  return (line) => {
    const said = JSON.stringify([line.level, line.code, line.text]);
    if (said === last) return;
    last = said;
    log(line);
  };
}
