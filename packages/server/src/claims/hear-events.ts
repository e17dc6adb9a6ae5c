// SPDX-License-Identifier: Apache-2.0

import { applyEvent } from "@berth/core/claim/apply-event";
import type { ClaimReason } from "@berth/core/claim/claim";
import type { EventAnswer } from "@berth/core/protocol/agent/agent-wire";
import type { AgentEvent } from "@berth/core/provision/desired-state";
import { keyOf } from "../documents/keys.ts";
import { settle, type ClaimContext } from "./claim-context.ts";
import { moveClaims, type Move, type Moved } from "./move-claims.ts";

/** Longest code and text of an agent's reason that are kept, characters. */
const CODE_MAX = 64;
const TEXT_MAX = 1000;

/** Takes in what the agent of a host says of its claims; see `ClaimBook.hear`. Claims of other hosts are none of its. */
export async function hearEvents(
  context: ClaimContext,
  host: string,
  events: readonly AgentEvent[],
): Promise<readonly EventAnswer[]> {
  if (events.length === 0) return [];
  const answer = await moveClaims(context, host, { moves: events.map((event) => moveOf(context, host, event)) });
  if (answer.kind === "guard-lost") throw new Error("Events are heard without a guard");
  const ids = new Set(events.map(({ claim }) => keyOf("claim", claim)));
  await settle(context, answer.revision, [...ids, keyOf("ledger", host)]);
  return answer.moved.map((moved, index) => answerOf(events[index]?.claim ?? "", moved));
}

function moveOf(context: ClaimContext, host: string, { claim, event, fence, reason }: AgentEvent): Move {
  return {
    id: claim,
    principal: `agent ${host}`,
    action: `claim.${event}`,
    change: (found) =>
      applyEvent(found, event, {
        nowMs: context.now(),
        fence,
        ...(reason === undefined ? {} : { reason: shorten(reason) }),
      }),
  };
}

function shorten({ code, text }: ClaimReason): ClaimReason {
  return { code: code.slice(0, CODE_MAX), text: text.slice(0, TEXT_MAX) };
}

function answerOf(claim: string, moved: Moved): EventAnswer {
  if (moved.kind === "moved") return { claim, kind: "applied" };
  if (moved.kind === "refused") return { claim, kind: "refused", code: moved.code, text: moved.text };
  return { claim, kind: "refused", code: "unknown_claim", text: `this host has no claim ${JSON.stringify(claim)}` };
}
