// SPDX-License-Identifier: Apache-2.0

import { NO_MEMORY } from "@berth/core/compatibility/pair";
import { STRICT_POLICY } from "@berth/core/compatibility/policy";
import { explainElsewhere } from "@berth/core/inventory/explain-elsewhere";
import { findBest } from "@berth/core/inventory/find-best";
import { classRulesOf, judgeBy } from "@berth/core/inventory/judgement";
import {
  addClass,
  addPlace,
  changePlace,
  compileSource,
  createMigrationIndex,
  placeAt,
  removePlace,
  type MigrationIndex,
} from "@berth/core/inventory/migration-index";
import { countColumns, layOut, searchColumns } from "./column-scan.ts";
import { hostName, madeUpFleet, MOST_FREE, profileOfKind, type MadeUpFleet } from "./made-up-fleet.ts";
import { listNaively, searchNaively } from "./naive-search.ts";
import { answerText, dealQuestions, LIMIT, type Question } from "./question.ts";
import { seededNumbers } from "./seeded-numbers.ts";

/** What was measured at one size: rows of the table by name, and how many answers were not the exhaustive ones. */
export interface Figures {
  readonly rows: Readonly<Record<string, number>>;
  readonly differing: number;
}

const SEED = 20200909;
const QUESTIONS = 10_000;
const EXPLANATIONS = 200;
const CHANGES = 100_000;
/** Places that the search over objects may visit at each size: what is affordable. */
const NAIVE_VISITS = 100_000_000;

/** Measures one size. Memory is read before anything else than the index exists. */
export function measureFleet(hosts: number): Figures {
  const fleet = madeUpFleet(hosts, SEED);
  const bare = process.memoryUsage().rss;
  const { index, ...built } = buildIndex(fleet);
  const memory = process.memoryUsage().rss - bare;
  const questions = dealQuestions(fleet, seededNumbers(SEED + 2), QUESTIONS);
  const found = askIndex(index, questions);
  const explained = explainQuestions(index, questions);
  const compared = compareAnswers(fleet, questions, { ...found, counts: explained.counts });
  const changed = changeIndex(index);
  const rows = {
    hosts,
    places: index.places.length,
    classes: index.columns.length,
    "build, s": built.seconds,
    "of it: 72,000 classes, s": built.classSeconds,
    "memory above the bare process, MB": memory / 1e6,
    ...changed,
    "compile a source, us": found.compileUs,
    "ten best, p50 us": percentile(found.times, 0.5),
    "ten best, p99 us": percentile(found.times, 0.99),
    "ten best, max us": percentile(found.times, 1),
    "exhaustive over objects, p50 us": percentile(compared.naiveTimes, 0.5),
    "exhaustive over columns, p50 us": percentile(compared.scanTimes, 0.5),
    "objects / index": percentile(compared.naiveTimes, 0.5) / percentile(found.times, 0.5),
    "floor: one pass over a bitset, us": passOverBitset(index),
    "why not elsewhere, p50 ms": percentile(explained.times, 0.5) / 1000,
    "why not elsewhere, p99 ms": percentile(explained.times, 0.99) / 1000,
    "floor: one pass over two columns, ms": passOverColumns(index) / 1000,
    "answers compared with objects": compared.naiveTimes.length,
    "answers compared with columns": compared.scanTimes.length,
    "explanations compared": explained.counts.length,
    "answers that differ": compared.differing,
  };
  return { rows, differing: compared.differing };
}

function buildIndex(fleet: MadeUpFleet): { index: MigrationIndex; seconds: number; classSeconds: number } {
  const start = performance.now();
  const context = { policy: STRICT_POLICY, packs: [], memory: NO_MEMORY };
  const index = createMigrationIndex({ judge: judgeBy(context), rules: classRulesOf([]) });
  const classes = fleet.kinds.map((kind) => addClass(index, { profile: profileOfKind(kind, "type") }));
  const classSeconds = (performance.now() - start) / 1000;
  fleet.walk(({ host, kind, name, free }) => {
    addPlace(index, { host: hostName(host), name, class: classes[kind]!, room: { atLeast: free, atMost: free } });
  });
  return { index, seconds: (performance.now() - start) / 1000, classSeconds };
}

interface Asked {
  readonly answers: readonly string[];
  readonly times: readonly number[];
  readonly compileUs: number;
}

/** Every question once, from cold: verdicts that the index has not asked for yet are part of the time. */
function askIndex(index: MigrationIndex, questions: readonly Question[]): Asked {
  const times: number[] = [];
  const answers: string[] = [];
  let compileTime = 0;
  for (const question of questions) {
    const started = performance.now();
    const source = compileSource(index, profileOfKind(question.source, "device"));
    compileTime += performance.now() - started;
    const query = { ...question, source, limit: LIMIT, exceptHost: hostName(question.exceptHost) };
    const start = performance.now();
    const best = findBest(index, query);
    times.push((performance.now() - start) * 1000);
    answers.push(answerText(best.map((id) => placeAt(index, id))));
  }
  return { answers, times, compileUs: (compileTime * 1000) / questions.length };
}

function explainQuestions(
  index: MigrationIndex,
  questions: readonly Question[],
): { times: number[]; counts: string[] } {
  const times: number[] = [];
  const counts: string[] = [];
  for (const question of questions.slice(0, EXPLANATIONS)) {
    const source = compileSource(index, profileOfKind(question.source, "device"));
    const query = { source, atLeastFree: question.atLeastFree, exceptHost: hostName(question.exceptHost) };
    const start = performance.now();
    const explained = explainElsewhere(index, query);
    times.push((performance.now() - start) * 1000);
    counts.push(
      explained
        .map((one) => `${one.kind} ${one.code} ${one.places} ${one.hosts}`)
        .toSorted()
        .join("; "),
    );
  }
  return { times, counts };
}

interface Compared {
  readonly scanTimes: readonly number[];
  readonly naiveTimes: readonly number[];
  readonly differing: number;
}

/** All answers against the scan over columns, and as many as are affordable against the search over objects. */
function compareAnswers(
  fleet: MadeUpFleet,
  questions: readonly Question[],
  { answers, counts }: { readonly answers: readonly string[]; readonly counts: readonly string[] },
): Compared {
  const columns = layOut(fleet);
  const objects = listNaively(fleet);
  const naiveCount = Math.floor(NAIVE_VISITS / objects.length);
  const scanTimes: number[] = [];
  const naiveTimes: number[] = [];
  let differing = 0;
  for (const [at, question] of questions.entries()) {
    const start = performance.now();
    const scanned = searchColumns(columns, question);
    scanTimes.push((performance.now() - start) * 1000);
    let isEqual = answerText(scanned) === answers[at];
    if (at < naiveCount) {
      const naiveStart = performance.now();
      const searched = searchNaively(objects, question);
      naiveTimes.push((performance.now() - naiveStart) * 1000);
      isEqual &&= answerText(searched) === answers[at];
    }
    if (at < counts.length) isEqual &&= countColumns(columns, question) === counts[at];
    if (!isEqual) differing += 1;
  }
  return { scanTimes, naiveTimes, differing };
}

function changeIndex(index: MigrationIndex): Readonly<Record<string, number>> {
  const numbers = seededNumbers(SEED + 3);
  const count = Math.min(CHANGES, index.places.length);
  const us = (act: () => void): number => {
    const start = performance.now();
    act();
    return ((performance.now() - start) * 1000) / count;
  };
  const rooms = Array.from({ length: count }, () => numbers.below(MOST_FREE + 1));
  const ids = Array.from({ length: count }, () => numbers.below(index.places.length));
  const change = us(() => {
    for (const [at, id] of ids.entries()) changePlace(index, id, { room: { atLeast: rooms[at]!, atMost: rooms[at]! } });
  });
  const stride = Math.floor(index.places.length / count);
  const taken = Array.from({ length: count }, (_, at) => placeAt(index, at * stride));
  const remove = us(() => {
    for (const { id } of taken) removePlace(index, id);
  });
  const add = us(() => {
    for (const place of taken) addPlace(index, place);
  });
  return { "add a place, us": add, "remove a place, us": remove, "change a place, us": change };
}

/** The least that any search over a bitset of all places would cost. */
function passOverBitset(index: MigrationIndex): number {
  const words = new Uint32Array(Math.ceil(index.places.length / 32)).fill(0x5a5a5a5a);
  return timeBest(() => words.reduce((sum, word) => (sum + (word & 0x0f0f0f0f)) | 0, 0));
}

/** The least that counting by class and by host costs: the columns of both are read once. */
function passOverColumns(index: MigrationIndex): number {
  const { classes, hosts, length } = index.places;
  const byHost = new Uint8Array(index.places.hostNames.texts.length);
  const byClass = new Uint8Array(index.columns.length);
  return timeBest(() => {
    for (let id = 0; id < length; id += 1) byHost[hosts[id]!]! |= byClass[classes[id]!]!;
  });
}

function timeBest(act: () => unknown): number {
  const times = Array.from({ length: 20 }, () => {
    const start = performance.now();
    act();
    return (performance.now() - start) * 1000;
  });
  return Math.min(...times);
}

function percentile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
