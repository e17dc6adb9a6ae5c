// SPDX-License-Identifier: Apache-2.0

import type { OperationName } from "@berth/core/protocol/api/endpoints";
import { makeAgentHandlers } from "./agent-handlers.ts";
import { makeClaimHandlers, makeProbeHandlers } from "./claim-handlers.ts";
import { makeHostHandlers, makeKeepingHandlers } from "./host-handlers.ts";
import { makeInventoryHandlers } from "./inventory-handlers.ts";
import type { Handler, Served } from "./served.ts";
import { makeServerHandlers } from "./server-handlers.ts";

/** The handler of every operation. */
export function makeHandlers(served: Served): Readonly<Record<OperationName, Handler>> {
  return {
    ...makeInventoryHandlers(served),
    ...makeClaimHandlers(served),
    ...makeProbeHandlers(served),
    ...makeHostHandlers(served),
    ...makeKeepingHandlers(served),
    ...makeAgentHandlers(served),
    ...makeServerHandlers(served),
  };
}
