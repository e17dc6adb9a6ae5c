// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import * as fs from "node:fs";
import fsModule from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { after, describe, it, type TestContext } from "node:test";
import type { Step } from "@berth/core/provision/step";
import { formatRecord, parseJournal } from "./journal.ts";
import type { JournalRecord } from "./journal.ts";
import { forgetJournal, listJournals, openJournal } from "./journal-file.ts";

const base = fs.mkdtempSync(`${tmpdir()}/berth-`);
after(() => fs.rmSync(base, { recursive: true }));

const STEP: Step = {
  effect: { kind: "remove", uuid: "aaaaaaaa-0000-4000-8000-000000000001" },
  text: "entfernen: Gerät",
};
const RECORDS: readonly JournalRecord[] = [
  { kind: "begin", purpose: "make", steps: [STEP] },
  { kind: "intent", step: 0, before: "on\n" },
  { kind: "done", step: 0 },
];
const TEXT = RECORDS.map(formatRecord).join("");

function failWith(code: string, errno: number): () => never {
  return () => {
    throw Object.assign(new Error(code), { code, errno });
  };
}

/** From here on writes bring ten bytes to disk, and then there is no room; until it is emptied. */
function fillDisk({ mock }: TestContext): { readonly empty: () => void } {
  const writeSync = fs.writeSync;
  const full = (file: number, bytes: Buffer, at: number, length: number, position: number): number => {
    if (at > 0) failWith("ENOSPC", -28)();
    return writeSync(file, bytes, at, Math.min(length, 10), position);
  };
  mock.method(fsModule, "writeSync", full as typeof fs.writeSync);
  syncBuiltinESMExports();
  return {
    empty: () => {
      mock.restoreAll();
      syncBuiltinESMExports();
    },
  };
}

describe("parseJournal()", () => {
  it("reads what formatRecord() writes", () => {
    assert.deepEqual(parseJournal(TEXT), { records: RECORDS, length: Buffer.byteLength(TEXT) });
  });

  it("ignores a last line that is torn, wherever it is", () => {
    const whole = RECORDS.slice(0, 2).map(formatRecord).join("");
    for (let length = whole.length; length < TEXT.length; length++) {
      const parsed = parseJournal(TEXT.slice(0, length));
      assert.deepEqual(parsed, { records: RECORDS.slice(0, 2), length: Buffer.byteLength(whole) }, `at ${length}`);
    }
  });

  it("ignores a last line that is not what was to be written", () => {
    assert.equal(parseJournal(`${TEXT}\0\0\0\n`).length, Buffer.byteLength(TEXT));
  });

  it("refuses a journal with any other line broken", () => {
    assert.throws(
      () => parseJournal(TEXT.replace('"before":"on', '"before":"of')),
      /^SyntaxError: .* line 2: its check/,
    );
    assert.throws(() => parseJournal(TEXT.replace("done", "gone") + TEXT), /^SyntaxError: .* line 3: its check/);
    assert.throws(() => parseJournal(`broken\n${TEXT.slice(0, 10)}`), /^SyntaxError: .* line 1: its check/);
  });

  it("refuses a record that it does not know", () => {
    const newer = formatRecord({ kind: "constructor" } as unknown as JournalRecord);
    assert.throws(() => parseJournal(newer), /^SyntaxError: .* unknown record "constructor"/);
  });
});

describe("openJournal()", () => {
  it("keeps records for the next start, for this user alone", () => {
    const directory = `${base}/state/journals`;
    const journal = openJournal(directory, "claim-1");
    for (const record of RECORDS) assert.deepEqual(journal.append(record), { kind: "written" });
    journal.close();
    assert.deepEqual(openAndClose(directory, "claim-1"), RECORDS);
    assert.equal(fs.statSync(`${directory}/claim-1.journal`).mode & 0o777, 0o600);
    assert.equal(fs.statSync(directory).mode & 0o777, 0o700);
    assert.equal(journal.append({ kind: "done", step: 0 }).kind, "failed");
  });

  it("cuts off a torn line, so that the next record is whole", () => {
    const path = `${base}/torn.journal`;
    const begun = RECORDS.slice(0, 2).map(formatRecord).join("");
    const long: JournalRecord = { kind: "intent", step: 0, before: "x".repeat(500) };
    fs.writeFileSync(path, begun + formatRecord(long).slice(0, -5));
    const journal = openJournal(base, "torn");
    assert.deepEqual(journal.records, RECORDS.slice(0, 2));
    assert.equal(fs.readFileSync(path, "utf8"), begun);
    journal.append({ kind: "refused", step: 0 });
    journal.close();
    assert.deepEqual(openAndClose(base, "torn"), [...RECORDS.slice(0, 2), { kind: "refused", step: 0 }]);
  });

  it("takes back half a record for which the disk had no room", (context) => {
    const path = `${base}/full.journal`;
    const journal = openJournal(base, "full");
    journal.append(RECORDS[0] as JournalRecord);
    const before = fs.readFileSync(path, "utf8");
    const disk = fillDisk(context);
    const failed = { kind: "failed", errno: "ENOSPC", why: "writing the journal fails with ENOSPC" } as const;
    assert.deepEqual(journal.append(RECORDS[1] as JournalRecord), failed);
    disk.empty();
    assert.equal(fs.readFileSync(path, "utf8"), before);
    assert.deepEqual(journal.records, RECORDS.slice(0, 1));
    assert.deepEqual(journal.append(RECORDS[1] as JournalRecord), { kind: "written" });
    journal.close();
    assert.deepEqual(openAndClose(base, "full"), RECORDS.slice(0, 2));
  });

  it("writes nothing behind half a record that cannot be taken back", (context) => {
    const journal = openJournal(base, "broken");
    const disk = fillDisk(context);
    context.mock.method(fsModule, "ftruncateSync", failWith("EIO", -5));
    syncBuiltinESMExports();
    journal.append(RECORDS[0] as JournalRecord);
    context.mock.restoreAll();
    disk.empty();
    const why = "the journal is broken";
    assert.deepEqual(journal.append(RECORDS[0] as JournalRecord), { kind: "failed", errno: "EBADF", why });
    journal.close();
    assert.deepEqual(openAndClose(base, "broken"), []);
  });

  it("refuses an id that is no file name", () => {
    for (const claim of ["", "..", "a/b", ".hidden", "a\0", "é", "x".repeat(200)]) {
      assert.throws(() => openJournal(base, claim), /^RangeError: Cannot keep a journal: expected the id of a claim/);
    }
  });

  it("does not follow a link", () => {
    fs.symlinkSync(`${base}/elsewhere`, `${base}/link.journal`);
    assert.throws(() => openJournal(base, "link"), { code: "ELOOP" });
    assert.equal(fs.existsSync(`${base}/elsewhere`), false);
  });
});

describe("listJournals()", () => {
  it("names the claims, sorted, and nothing else", () => {
    const directory = `${base}/list`;
    assert.deepEqual(listJournals(directory), []);
    for (const claim of ["b", "a"]) openJournal(directory, claim).close();
    fs.writeFileSync(`${directory}/fences.json`, "");
    assert.deepEqual(listJournals(directory), ["a", "b"]);
  });
});

describe("forgetJournal()", () => {
  it("forgets a claim whose last run was settled, and no other", () => {
    const directory = `${base}/forget`;
    const open = openJournal(directory, "open");
    for (const record of RECORDS) open.append(record);
    open.close();
    assert.throws(() => forgetJournal(directory, "open"), /^RangeError: Cannot forget claim open: its last run/);
    const stuck = openJournal(directory, "open");
    stuck.append({ kind: "end", as: "stuck" });
    stuck.close();
    assert.throws(() => forgetJournal(directory, "open"), /^RangeError/);
    const undone = openJournal(directory, "open");
    undone.append({ kind: "end", as: "undone" });
    undone.close();
    forgetJournal(directory, "open");
    assert.deepEqual(listJournals(directory), []);
  });
});

function openAndClose(directory: string, claim: string): readonly JournalRecord[] {
  const journal = openJournal(directory, claim);
  journal.close();
  return journal.records;
}
