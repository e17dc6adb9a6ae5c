// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { TlsOptions } from "../commands/server-run.ts";
import { readServerTls } from "./server-tls.ts";

const FIXTURES = fileURLToPath(new URL("../../../../fixtures/tls/", import.meta.url));
const base = mkdtempSync(join(tmpdir(), "berth-tls-"));
after(() => rmSync(base, { recursive: true }));

const fixture = (name: string): string => join(FIXTURES, name);
const textOf = (name: string): string => readFileSync(fixture(name), "utf8");

function makeFile(name: string, text: string): string {
  writeFileSync(join(base, name), text);
  return join(base, name);
}

function pinOf(name: string): string {
  return new X509Certificate(textOf(name)).fingerprint256.replaceAll(":", "").toLowerCase();
}

/** Serial numbers of what is sent, first to last. */
function serialsOf(pem: string): readonly string[] {
  return (pem.match(/-----BEGIN[^]+?-----END CERTIFICATE-----/g) ?? []).map(
    (one) => new X509Certificate(one).serialNumber,
  );
}

const serials = (...names: readonly string[]): readonly string[] => names.flatMap((name) => serialsOf(textOf(name)));
const server = { tlsCert: fixture("server.pem"), tlsKey: fixture("server.key") };
const chain = makeFile("chain.pem", `The server's own:\n${textOf("server.pem")}\n${textOf("authority.pem")}`);

interface Case {
  readonly given: TlsOptions;
  readonly sent: readonly string[];
  readonly pinned: string;
}

const READ: Readonly<Record<string, Case>> = {
  "sends the authority along, and pins it": {
    given: { ...server, tlsCa: fixture("authority.pem") },
    sent: ["server.pem", "authority.pem"],
    pinned: "authority.pem",
  },
  "sends an authority once that is in the chain": {
    given: { ...server, tlsCert: chain, tlsCa: fixture("authority.pem") },
    sent: ["server.pem", "authority.pem"],
    pinned: "authority.pem",
  },
  "pins the last of the chain where no authority is named": {
    given: { ...server, tlsCert: chain },
    sent: ["server.pem", "authority.pem"],
    pinned: "authority.pem",
  },
  "pins the certificate itself where it stands alone": { given: server, sent: ["server.pem"], pinned: "server.pem" },
};

const REFUSED: Readonly<Record<string, { readonly given: TlsOptions; readonly code: string; readonly place: string }>> =
  {
    "a certificate without a key": {
      given: { tlsCert: server.tlsCert },
      code: "usage_missing_argument",
      place: "--tls-key",
    },
    "a key without a certificate": {
      given: { tlsKey: server.tlsKey },
      code: "usage_missing_argument",
      place: "--tls-cert",
    },
    "an authority alone": {
      given: { tlsCa: fixture("authority.pem") },
      code: "usage_missing_argument",
      place: "--tls-cert",
    },
    "a certificate that is not there": {
      given: { ...server, tlsCert: join(base, "none") },
      code: "file_not_found",
      place: join(base, "none"),
    },
    "a file without a certificate": {
      given: { ...server, tlsCert: server.tlsKey },
      code: "file_unreadable",
      place: server.tlsKey,
    },
    "a certificate that is damaged": {
      given: { ...server, tlsCert: makeFile("bad.pem", textOf("server.pem").replace(/\n[^-\n]{20}/, "\nAAAA")) },
      code: "file_unreadable",
      place: join(base, "bad.pem"),
    },
    "the key of another certificate": {
      given: { ...server, tlsKey: fixture("elsewhere.key") },
      code: "file_unreadable",
      place: fixture("elsewhere.key"),
    },
    "a file without a key": {
      given: { ...server, tlsKey: fixture("authority.pem") },
      code: "file_unreadable",
      place: fixture("authority.pem"),
    },
  };

describe("readServerTls()", () => {
  for (const [name, { given, sent, pinned }] of Object.entries(READ)) {
    it(name, () => {
      const tls = readServerTls(given);
      assert.deepEqual(serialsOf(tls?.cert ?? ""), serials(...sent));
      assert.deepEqual([tls?.pin, tls?.key], [pinOf(pinned), textOf("server.key")]);
    });
  }

  it("answers nothing where nothing is named", () => {
    assert.equal(readServerTls({}), undefined);
    assert.equal(readServerTls({ behindTlsProxy: true }), undefined);
  });

  for (const [name, { given, code, place }] of Object.entries(REFUSED)) {
    it(`refuses ${name}, and shows no key`, () => {
      const message = /^(?![^]*(?:PRIVATE|BEGIN))/;
      assert.throws(() => readServerTls(given), { code, place, message });
    });
  }
});
