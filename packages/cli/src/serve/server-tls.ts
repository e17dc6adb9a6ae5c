// SPDX-License-Identifier: Apache-2.0

import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { TlsOptions } from "../commands/server-run.ts";
import { readTextFile } from "../input/json-file.ts";

/** What a server shows of itself, as PEM texts. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
  /** SHA-256 of the authority's certificate (DER), lower-case hexadecimal: what enrolment tokens pin. */
  readonly pin: string;
}

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * Reads the certificate of a server; undefined where none is named. The authority's certificate is sent along with the
 * chain, so that an agent that knows its pin alone finds it there. Throws BerthError: usage_missing_argument, file_*.
 */
export function readServerTls({ tlsCert, tlsKey, tlsCa }: TlsOptions): ServerTls | undefined {
  if (tlsCert === undefined && tlsKey === undefined && tlsCa === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new BerthError("usage_missing_argument", "A certificate and its key are given together", {
      place: tlsCert === undefined ? "--tls-cert" : "--tls-key",
      expected: "--tls-cert FILE --tls-key FILE",
    });
  }
  const key = readTextFile(tlsKey);
  const chain = readCertificates(tlsCert);
  const [own] = chain;
  if (own === undefined || !hasKey(own, key, tlsKey)) {
    throw new BerthError("file_unreadable", `The key in ${tlsKey} is not that of the certificate in ${tlsCert}`, {
      place: tlsKey,
      expected: "the key of the first certificate",
    });
  }
  const authority = tlsCa === undefined ? chain.at(-1) : readCertificates(tlsCa)[0];
  if (authority === undefined) throw new Error("A chain has a last certificate");
  const sent = chain.some(({ raw }) => raw.equals(authority.raw)) ? chain : [...chain, authority];
  return { cert: sent.map((one) => one.toString()).join(""), key, pin: sha256Of(authority.raw) };
}

function readCertificates(path: string): readonly X509Certificate[] {
  const blocks = readTextFile(path).match(BLOCK) ?? [];
  try {
    if (blocks.length > 0) return blocks.map((block) => new X509Certificate(block));
  } catch {
    // Said below, without what OpenSSL calls it.
  }
  throw new BerthError("file_unreadable", `${path} holds no certificate`, { place: path, expected: "PEM" });
}

function hasKey(certificate: X509Certificate, key: string, path: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    throw new BerthError("file_unreadable", `${path} holds no private key`, { place: path, expected: "PEM", cause });
  }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
