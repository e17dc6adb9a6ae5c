// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, describe, it } from "node:test";
import { gzipSync } from "node:zlib";

import { BerthError } from "@berth/core/protocol/berth-error";
import { openRoot } from "./open-root.ts";
import { writeTar } from "./tar-writer.ts";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "berth-open-root-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

function makeFolder(...files: readonly string[]): string {
  const root = fs.mkdtempSync(path.join(scratch, "folder-"));
  for (const file of files) {
    fs.mkdirSync(path.join(root, path.dirname(file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), file);
  }
  return root;
}

function makeFile(name: string, content: Uint8Array): string {
  const file = path.join(fs.mkdtempSync(path.join(scratch, "file-")), name);
  fs.writeFileSync(file, content);
  return file;
}

function makeTar(...files: readonly string[]): Uint8Array {
  return writeTar(files.map((name) => ({ path: name, flag: "0", content: name })));
}

const OPENS: Readonly<Record<string, { readonly root: string; readonly path: string }>> = {
  "opens a folder with sys at its top": { root: makeFolder("sys/a"), path: "/sys/a" },
  "opens a folder with sys one below": { root: makeFolder("host/sys/a", "README"), path: "/sys/a" },
  "opens a folder with a slash at the end": { root: `${makeFolder("host/sys/a")}/`, path: "/sys/a" },
  "opens an archive whatever its name": { root: makeFile("capture.bin", makeTar("sys/a")), path: "/sys/a" },
  "opens a compressed archive": { root: makeFile("capture.tgz", gzipSync(makeTar("./sys/a"))), path: "/sys/a" },
  "opens an archive with sys one below": { root: makeFile("a.tar", makeTar("host/sys/a", "README")), path: "/sys/a" },
  "opens this machine": { root: "/", path: "/proc/version" },
};

const REFUSES: Readonly<Record<string, { readonly root: string; readonly code: string; readonly says: RegExp }>> = {
  "a path that is not there": { root: path.join(scratch, "nothing"), code: "root_not_found", says: /nothing/ },
  "a path below a file": { root: path.join(makeFile("a", Buffer.of()), "b"), code: "root_not_found", says: /a\/b/ },
  "a path with a NUL": { root: "/sys\0", code: "root_not_found", says: /nothing at "\/sys\\u0000"/ },
  "a folder without sys": { root: makeFolder("etc/hosts"), code: "root_not_a_directory", says: /no sys in it/ },
  "the folder sys itself": {
    root: makeFolder("bus/a", "devices/b"),
    code: "root_not_a_directory",
    says: /folder above/,
  },
  "a folder of several trees": {
    root: makeFolder("a/sys/x", "b/sys/x"),
    code: "root_not_a_directory",
    says: /several trees: a, b/,
  },
  "an archive without sys": {
    root: makeFile("a.tar", makeTar("etc/hosts")),
    code: "root_not_a_directory",
    says: /no sys in it/,
  },
  "an archive of several trees": {
    root: makeFile("a.tar", makeTar("a/sys/x", "b/sys/x")),
    code: "root_not_a_directory",
    says: /several/,
  },
  "an empty archive": { root: makeFile("a.tar", writeTar([])), code: "root_not_a_directory", says: /no sys/ },
  "an empty file": { root: makeFile("a.tar", Buffer.of()), code: "capture_malformed", says: /neither a tar archive/ },
  "a text": {
    root: makeFile("a.tar", Buffer.from("text ".repeat(200))),
    code: "capture_malformed",
    says: /neither a tar/,
  },
  "half of a compressed archive": {
    root: makeFile("a.tgz", gzipSync(makeTar("sys/a")).subarray(0, 60)),
    code: "capture_truncated",
    says: /cut off/,
  },
  "a device node": { root: "/dev/null", code: "root_not_a_directory", says: /neither a folder nor a file/ },
};

describe("openRoot()", () => {
  for (const [sentence, { root, path: at }] of Object.entries(OPENS)) {
    it(sentence, () => assert.equal(openRoot(root).read(at, 4096).kind, "text"));
  }
  for (const [sentence, { root, code, says }] of Object.entries(REFUSES)) {
    it(`refuses ${sentence}`, () => {
      assert.throws(
        () => openRoot(root),
        (error) => {
          assert.ok(error instanceof BerthError);
          assert.equal(error.code, code);
          assert.match(error.message, says);
          return true;
        },
      );
    });
  }
  it("refuses a FIFO without waiting for a writer", () => {
    const fifo = path.join(scratch, "fifo");
    execFileSync("mkfifo", [fifo]);
    assert.throws(() => openRoot(fifo), { code: "root_not_a_directory" });
  });
  it("does not take a link for the top of a tree", () => {
    const root = makeFolder("README");
    fs.symlinkSync(makeFolder("sys/a"), path.join(root, "host"));
    fs.symlinkSync("/sys", path.join(root, "sys"));
    assert.throws(() => openRoot(root), { code: "root_not_a_directory" });
  });

  it("says that a folder cannot be looked into, not that nothing is in it", () => {
    const root = makeFolder("sys/a");
    fs.chmodSync(scratch, 0o711);
    fs.chmodSync(root, 0o000);
    try {
      asNobody(() => {
        assert.throws(() => openRoot(root), { name: "BerthError", code: "file_unreadable", message: /EACCES/ });
      });
    } finally {
      fs.chmodSync(root, 0o755);
    }
  });
});

/** Runs something without root's power to read everything. */
function asNobody(run: () => void): void {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    run();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}
