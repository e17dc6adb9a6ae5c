// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import type { EtcdTls } from "./etcd-options.ts";
import { openEtcdStore } from "./etcd-store.ts";
import { findEtcd, startEtcd } from "./started-etcd.ts";

const run = promisify(execFile);
const program = await findEtcd();
const hasOpenssl = await run("openssl", ["version"]).then(
  () => true,
  () => false,
);
const why =
  program.kind === "missing" ? program.reason : hasOpenssl ? undefined : "no openssl to make certificates with";

/** An authority of its own that signs certificates for the loopback address. */
async function makeAuthority(folder: string, name: string): Promise<(leaf: string) => Promise<void>> {
  const at = (file: string): string => join(folder, file);
  const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  await run("openssl", request.concat("-keyout", at(`${name}.key`), "-out", at(`${name}.crt`), "-subj", `/CN=${name}`));
  return async (leaf) => {
    const key = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", `/CN=${leaf}`];
    await run("openssl", [...key, "-keyout", at(`${leaf}.key`), "-out", at(`${leaf}.csr`)]);
    await writeFile(at(`${leaf}.ext`), "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n");
    const sign = ["x509", "-req", "-in", at(`${leaf}.csr`), "-CA", at(`${name}.crt`), "-CAkey", at(`${name}.key`)];
    await run(
      "openssl",
      sign.concat("-CAcreateserial", "-days", "2", "-out", at(`${leaf}.crt`), "-extfile", at(`${leaf}.ext`)),
    );
  };
}

test("TLS: only who shows the right certificates to each other can talk", { timeout: 60_000, skip: why }, async () => {
  if (program.kind === "missing") return;
  const folder = await mkdtemp(join(tmpdir(), "berth-etcd-tls-"));
  try {
    const sign = await makeAuthority(folder, "ca");
    await sign("member");
    await sign("client");
    const signOther = await makeAuthority(folder, "other");
    await signOther("stranger");
    const files = ["--cert-file", join(folder, "member.crt"), "--key-file", join(folder, "member.key")];
    const flags = [...files, "--client-cert-auth", "--trusted-ca-file", join(folder, "ca.crt")];
    const etcd = await startEtcd({ path: program.path, count: 1, scheme: "https", flags });
    const text = async (file: string): Promise<string> => await readFile(join(folder, file), "utf8");
    const open = async (tls: EtcdTls): Promise<void> => {
      const store = await openEtcdStore({ endpoints: etcd.endpoints, tls, attemptMs: 1000, deadlineMs: 1500 });
      try {
        await store.transact({ compares: [], writes: [{ kind: "put", key: "p/a", value: "1" }] });
      } finally {
        await store.close();
      }
    };
    try {
      const client = { cert: await text("client.crt"), key: await text("client.key") };
      const stranger = { cert: await text("stranger.crt"), key: await text("stranger.key") };
      await open({ ca: await text("ca.crt"), ...client });
      const refused = (message: RegExp): object => ({ code: "store_unavailable", message });
      await assert.rejects(open({ ca: await text("other.crt"), ...client }), refused(/certificate/));
      await assert.rejects(open(client), refused(/certificate/));
      await assert.rejects(open({ ca: await text("ca.crt") }), refused(/No etcd member answered/));
      await assert.rejects(open({ ca: await text("ca.crt"), ...stranger }), refused(/No etcd member answered/));
      const plain = { endpoints: etcd.endpoints.map((one) => one.replace("https", "http")) };
      await assert.rejects(openEtcdStore({ ...plain, attemptMs: 1000, deadlineMs: 1500 }), refused(/No etcd member/));
    } finally {
      await etcd.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
