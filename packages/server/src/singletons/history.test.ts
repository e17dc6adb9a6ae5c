// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { History, type Moment } from "./history.ts";

describe("History.note()", () => {
  const cases: Readonly<Record<string, { readonly noted: readonly Moment[]; readonly forgets: number | undefined }>> = {
    "forgets nothing at first": { noted: [{ atMs: 0, revision: 9 }], forgets: undefined },
    "forgets nothing that is younger than what is kept": {
      noted: [
        { atMs: 0, revision: 9 },
        { atMs: 99, revision: 12 },
      ],
      forgets: undefined,
    },
    "forgets up to the newest moment that is old enough": {
      noted: [
        { atMs: 0, revision: 9 },
        { atMs: 10, revision: 11 },
        { atMs: 50, revision: 12 },
        { atMs: 110, revision: 20 },
      ],
      forgets: 11,
    },
    "begins again where the clock jumped back": {
      noted: [
        { atMs: 1000, revision: 9 },
        { atMs: 10, revision: 10 },
        { atMs: 109, revision: 11 },
      ],
      forgets: undefined,
    },
  };
  for (const [name, { noted, forgets }] of Object.entries(cases)) {
    it(name, () => {
      const history = new History(100);
      const answers = noted.map((moment) => history.note(moment));
      assert.equal(answers.at(-1), forgets);
    });
  }

  it("forgets the same moment once", () => {
    const history = new History(100);
    history.note({ atMs: 0, revision: 3 });
    assert.equal(history.note({ atMs: 100, revision: 5 }), 3);
    assert.equal(history.note({ atMs: 101, revision: 5 }), undefined);
  });
});
