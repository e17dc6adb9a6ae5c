// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ChangeMessage } from "@berth/core/protocol/api/answers";
import { ChangeFeed } from "./change-feed.ts";

const CHANGES: ChangeMessage["changes"] = [{ kind: "host-put", host: "a" }];

/** A feed with messages at revisions 3, 7 and 8, that stands at 12. */
function feedWithGaps(limit = 10): ChangeFeed {
  const feed = new ChangeFeed("e", { keptMessages: limit, revision: 2 });
  for (const revision of [3, 7, 8]) feed.publish(CHANGES, revision);
  feed.advance(12);
  return feed;
}

function missedSince(feed: ChangeFeed, revision: number, epoch = "e"): readonly number[] | string {
  const missed = feed.since({ epoch, revision });
  return missed.kind === "reset" ? "reset" : missed.messages.map(({ generation }) => generation.revision);
}

const CASES = {
  "tells all messages to whom stands where it began": { at: 2, missed: [3, 7, 8] },
  "tells nothing twice": { at: 3, missed: [7, 8] },
  "serves who stands between two messages": { at: 5, missed: [7, 8] },
  "tells nothing to whom stands after the last message": { at: 9, missed: [] },
  "tells nothing to whom stands at the end": { at: 12, missed: [] },
  "resets who stands before it began": { at: 1, missed: "reset" },
  "resets who stands in the future": { at: 13, missed: "reset" },
  "serves who stands at the last message that is not kept": { at: 3, missed: [7, 8], limit: 2 },
  "resets who stands before a message that is not kept": { at: 2, missed: "reset", limit: 2 },
  "serves who stands after a message that is not kept": { at: 5, missed: [7, 8], limit: 2 },
} as const;

describe("since()", () => {
  for (const [does, wanted] of Object.entries(CASES)) {
    const limit = "limit" in wanted ? wanted.limit : undefined;
    it(does, () => assert.deepEqual(missedSince(feedWithGaps(limit), wanted.at), wanted.missed));
  }

  it("resets who comes from another epoch", () => {
    assert.equal(missedSince(feedWithGaps(), 7, "other"), "reset");
  });

  it("resets who stood before what is forgotten, and serves who stands there", () => {
    const feed = feedWithGaps();
    feed.forget();
    feed.publish(CHANGES);
    assert.equal(missedSince(feed, 8), "reset");
    assert.deepEqual(missedSince(feed, 12), [13]);
  });
});

describe("publish()", () => {
  it("takes the next revision unless it is told one", () => {
    const feed = feedWithGaps();
    assert.deepEqual(feed.publish(CHANGES), { epoch: "e", revision: 13 });
  });

  it("refuses a revision that is not above the last", () => {
    assert.throws(() => feedWithGaps().publish(CHANGES, 12), RangeError);
    assert.throws(() => feedWithGaps().publish(CHANGES, Number.NaN), RangeError);
  });

  it("tells listeners until they end it", () => {
    const feed = feedWithGaps();
    const heard: number[] = [];
    const end = feed.subscribe(({ generation }) => heard.push(generation.revision));
    feed.publish(CHANGES, 20);
    end();
    feed.publish(CHANGES, 21);
    assert.deepEqual(heard, [20]);
  });
});

describe("advance()", () => {
  it("never goes back", () => {
    const feed = feedWithGaps();
    feed.advance(4);
    assert.equal(feed.generation.revision, 12);
  });
});
