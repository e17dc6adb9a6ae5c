// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { listen, requireProtection, untilStopped, type Protection } from "./listening.ts";

const OPEN: Protection = { hasTokens: false, hasTls: false };

const PROTECTED: Readonly<Record<string, { readonly host: string; readonly has: Protection; readonly code?: string }>> =
  {
    "lets this machine's own address be open": { host: "127.0.0.1", has: OPEN },
    "lets any other address of the loopback network be open": { host: "127.8.9.10", has: OPEN },
    "lets the loopback address of IPv6 be open": { host: "::1", has: OPEN },
    "lets localhost be open": { host: "localhost", has: OPEN },
    "wants tokens where others come in": { host: "0.0.0.0", has: OPEN, code: "listen_needs_tokens" },
    "wants tokens on every address of IPv6": { host: "::", has: OPEN, code: "listen_needs_tokens" },
    "wants tokens where TLS is": { host: "192.0.2.7", has: { ...OPEN, hasTls: true }, code: "listen_needs_tokens" },
    "wants TLS where tokens are": { host: "192.0.2.7", has: { ...OPEN, hasTokens: true }, code: "listen_needs_tls" },
    "takes a name that only looks like this machine's for another's": {
      host: "localhost.example",
      has: OPEN,
      code: "listen_needs_tokens",
    },
    "is content with both": { host: "0.0.0.0", has: { hasTokens: true, hasTls: true } },
  };

describe("requireProtection()", () => {
  for (const [name, { host, has, code }] of Object.entries(PROTECTED)) {
    it(name, () => {
      const require = (): void => requireProtection({ host, port: 7411 }, has);
      if (code === undefined) assert.doesNotThrow(require);
      else assert.throws(require, { code, place: "--listen" });
    });
  }
});

type ApiServer = Parameters<typeof listen>[0];

/** A server of which only the listening counts. */
function serverAt(bound: object, asked: object[] = []): ApiServer {
  const parts = {
    listen: (where: object) => Promise.resolve(void asked.push(where)),
    server: { address: () => bound },
  };
  return parts as unknown as ApiServer;
}

describe("listen()", () => {
  it("answers the address that was bound, as a URL has it", async () => {
    const asked: object[] = [];
    const four = serverAt({ family: "IPv4", address: "127.0.0.1", port: 4711 }, asked);
    assert.equal(await listen(four, { host: "127.0.0.1", port: 0 }), "127.0.0.1:4711");
    assert.deepEqual(asked, [{ host: "127.0.0.1", port: 0 }]);
    const six = serverAt({ family: "IPv6", address: "::1", port: 4711 });
    assert.equal(await listen(six, { host: "::1", port: 0 }), "[::1]:4711");
  });

  it("says why it cannot", async () => {
    const busy = { listen: () => Promise.reject(new Error("EADDRINUSE")) } as unknown as ApiServer;
    await assert.rejects(listen(busy, { host: "127.0.0.1", port: 7411 }), {
      code: "listen_failed",
      message: "Cannot listen on 127.0.0.1 port 7411: EADDRINUSE",
    });
  });
});

describe("untilStopped()", () => {
  const SIGNALS = ["SIGINT", "SIGTERM"] as const;
  for (const signal of SIGNALS) {
    it(`ends at ${signal}, and leaves a second one to the process`, async () => {
      const before = SIGNALS.map((one) => process.listeners(one));
      const stopped = untilStopped();
      process.listeners(signal).at(-1)?.(signal);
      await stopped;
      assert.deepEqual(
        SIGNALS.map((one) => process.listeners(one)),
        before,
      );
    });
  }
});
