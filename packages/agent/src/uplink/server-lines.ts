// SPDX-License-Identifier: Apache-2.0

import { makeAgentClient } from "@berth/core/protocol/agent/agent-client";
import type { AgentCredential } from "./agent-state.ts";
import type { ServerLine } from "./agent-parts.ts";
import { parseServerAddress } from "./server-address.ts";
import { openTransport } from "./transport.ts";

/** Opens a line to each server of a credential, in their order. Throws BerthError `usage_bad_value` for an address. */
export function openServerLines({ servers, credential, ca }: AgentCredential): readonly ServerLine[] {
  return servers.map((server) => {
    const address = parseServerAddress(server);
    const transport = openTransport(address, ca === undefined ? {} : { ca });
    return {
      place: address.origin,
      client: makeAgentClient(transport.fetchLike, { credential }),
      hangUp: () => transport.hangUp(),
      close: () => transport.close(),
    };
  });
}
