// SPDX-License-Identifier: Apache-2.0

/**
 * Writes one JSON document for programs. `kind` names the shape and its version; a number without limit is null.
 */
export function formatJson(kind: string, content: object): string {
  return JSON.stringify({ berth: kind, ...content }, dropInfinity, 2);
}

function dropInfinity(_key: string, value: unknown): unknown {
  return value === Number.POSITIVE_INFINITY ? null : value;
}
