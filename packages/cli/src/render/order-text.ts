// SPDX-License-Identifier: Apache-2.0

import type { DoneAnswer } from "@berth/core/protocol/api/control-answers";
import { printable } from "./table.ts";
import { counted } from "./words.ts";

/** What an order came to: one sentence, and the claims that it ended. */
export function formatOrder({ claims }: Pick<DoneAnswer, "claims">, sentence: string): string {
  const ended =
    claims.length === 0 ? [] : [`${counted(claims.length, "claim")} ended:`, ...claims.map((id) => `  ${id}`)];
  return [`${printable(sentence)}.`, ...ended].join("\n");
}
