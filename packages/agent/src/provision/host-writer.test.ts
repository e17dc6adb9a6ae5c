// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { after, describe, it } from "node:test";
import { nameErrno } from "./errno-name.ts";
import { openDirectoryWriter } from "./host-writer.ts";

const base = fs.mkdtempSync(`${tmpdir()}/berth-`);
after(() => fs.rmSync(base, { recursive: true }));

const root = `${base}/host`;
fs.mkdirSync(`${root}/sys/devices/gpu`, { recursive: true });
fs.mkdirSync(`${root}/sys/bus`);
fs.mkdirSync(`${root}/etc`);
fs.writeFileSync(`${root}/sys/devices/gpu/setting`, "");
fs.writeFileSync(`${root}/sys/devices/gpu/readonly`, "old", { mode: 0o444 });
fs.writeFileSync(`${root}/etc/passwd`, "old");
fs.writeFileSync(`${base}/outside`, "old");
fs.symlinkSync("../devices/gpu", `${root}/sys/bus/gpu`);
fs.symlinkSync("/etc/passwd", `${root}/sys/bus/absolute`);
fs.symlinkSync("../../../outside", `${root}/sys/bus/outside`);
fs.symlinkSync("nowhere", `${root}/sys/bus/dangling`);
fs.symlinkSync("circle", `${root}/sys/bus/circle`);

const CASES: Readonly<Record<string, readonly [path: string, answer: string]>> = {
  "writes an attribute": ["/sys/devices/gpu/setting", "written"],
  "follows links inside the root": ["/sys/bus/gpu/setting", "written"],
  "never creates a file": ["/sys/devices/gpu/new", "ENOENT"],
  "never creates the target of a link": ["/sys/bus/dangling", "ENOENT"],
  "answers EACCES where nobody may write, even to root": ["/sys/devices/gpu/readonly", "EACCES"],
  "writes nothing outside /sys": ["/etc/passwd", "EXDEV"],
  "writes nothing outside /sys through a link": ["/sys/bus/absolute", "EXDEV"],
  "writes nothing outside /sys by walking up": ["/sys/../etc/passwd", "EXDEV"],
  "writes nothing outside the root": ["/sys/bus/outside", "EXDEV"],
  "ends in a circle of links": ["/sys/bus/circle", "ELOOP"],
  "refuses a directory": ["/sys/devices/gpu", "EISDIR"],
  "refuses a path with a NUL": ["/sys/devices/gpu/setting\0", "EINVAL"],
};

describe("openDirectoryWriter()", () => {
  for (const [name, [path, answer]] of Object.entries(CASES)) {
    it(name, () => {
      const written = openDirectoryWriter(root).write(path, "value\n");
      assert.equal(written.kind === "written" ? "written" : written.errno, answer);
      if (answer === "written") assert.equal(fs.readFileSync(`${root}/sys/devices/gpu/setting`, "utf8"), "value\n");
      fs.writeFileSync(`${root}/sys/devices/gpu/setting`, "");
      const others = ["host/sys/devices/gpu/readonly", "host/etc/passwd", "outside"];
      assert.deepEqual(
        others.map((other) => fs.readFileSync(`${base}/${other}`, "utf8")),
        ["old", "old", "old"],
      );
      assert.deepEqual(fs.readdirSync(`${root}/sys/devices/gpu`), ["readonly", "setting"]);
    });
  }
});

describe("nameErrno()", () => {
  it("names the kernel's errors, and rethrows what is none", () => {
    const withCode = (code: string | undefined, errno: number | undefined) =>
      Object.assign(new Error(""), { code, errno });
    assert.equal(nameErrno(withCode("EUSERS", -87)), "EUSERS");
    assert.equal(nameErrno(withCode("Unknown system error -87", -87)), "EUSERS");
    assert.equal(nameErrno(withCode("Unknown system error -999", -999)), "errno 999");
    assert.throws(() => nameErrno(new TypeError("bug")), TypeError);
    assert.throws(() => nameErrno(withCode("ERR_INVALID_ARG_TYPE", undefined)), { code: "ERR_INVALID_ARG_TYPE" });
  });
});
