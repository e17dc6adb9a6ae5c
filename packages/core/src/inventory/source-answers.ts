// SPDX-License-Identifier: Apache-2.0

import type { ClassColumns, ClassId, Stem } from "./class-columns.ts";
import { findRuling, headOf, type Head, type Ruling } from "./class-heads.ts";
import { PATTERNS, profileOfClass, type CompiledSource } from "./compiled-source.ts";
import type { Judge, Judgement } from "./judgement.ts";

/** Number of an outcome in the list of outcomes. */
export type OutcomeId = number;

/**
 * What all sources of one stem have in common. A plain source and a plain class are judged by pattern: how the versions
 * stand to each other and which fields lack an item decide, not the class. All others are judged one by one.
 */
export interface SourceAnswers {
  readonly head: Head;
  /** Classes looked at so far; later ones are new. */
  seen: number;
  /** By head number: what rules it out, or "open". */
  readonly rulings: (Ruling | "open")[];
  /** Plain stems that their heads do not rule out, by stem number. */
  readonly gates: Map<number, Gate>;
  /** Classes that are judged one by one, for each source of the stem. */
  readonly singles: ClassId[];
}

/** The outcomes of one stem's patterns; -1 where a pattern has not been met. */
export interface Gate {
  readonly stem: Stem;
  readonly outcomes: Int16Array;
}

/** What was found out about the singles of one source. */
export interface SingleAnswers {
  /** In the order of `singles`. */
  readonly outcomes: OutcomeId[];
  readonly byClass: Map<ClassId, OutcomeId>;
}

/** Everything that judges said, each distinct judgement once. */
export interface AnswerBook {
  judge: Judge;
  readonly judgements: Judgement[];
  readonly outcomeIds: Map<string, OutcomeId>;
  /** Numbers of sources' stems; a number is never given twice. */
  readonly stemNumbers: Map<string, number>;
  nextStem: number;
  readonly byStem: Map<number, SourceAnswers>;
  /** By the whole key of a source. */
  readonly byKey: Map<string, SingleAnswers>;
  readonly byRuling: Map<Ruling | "open", OutcomeId>;
}

/** A question about one source. */
export interface Asked {
  readonly book: AnswerBook;
  readonly columns: ClassColumns;
  readonly source: CompiledSource;
}

/** Answers about more sources than these are forgotten, all at once. */
const MOST_SOURCES = 4096;
/** As many as an Int16Array can number. */
const MOST_OUTCOMES = 32767;

/** Nothing judged yet. */
export function createAnswerBook(judge: Judge): AnswerBook {
  return {
    judge,
    judgements: [],
    outcomeIds: new Map(),
    stemNumbers: new Map(),
    nextStem: 0,
    byStem: new Map(),
    byKey: new Map(),
    byRuling: new Map(),
  };
}

/** The number of a source's stem. */
export function numberStem(book: AnswerBook, stem: string): number {
  const seen = book.stemNumbers.get(stem);
  if (seen !== undefined) return seen;
  if (book.stemNumbers.size >= MOST_SOURCES) book.stemNumbers.clear();
  book.stemNumbers.set(stem, book.nextStem);
  book.nextStem += 1;
  return book.nextStem - 1;
}

/** Judges anew from now on, by another judge. */
export function replaceBookJudge(book: AnswerBook, judge: Judge): void {
  book.judge = judge;
  book.byStem.clear();
  book.byKey.clear();
  book.byRuling.clear();
}

/**
 * The answers about a source, over all classes that there are now. The first question about a stem visits every class
 * once; classes that arrive later are visited when the next question comes.
 */
export function answersAbout(asked: Asked): SourceAnswers {
  const { book, columns, source } = asked;
  let answers = book.byStem.get(source.stem);
  if (answers === undefined) {
    if (book.byStem.size >= MOST_SOURCES) book.byStem.clear();
    answers = noAnswers(source);
    book.byStem.set(source.stem, answers);
  }
  for (; answers.seen < columns.length; answers.seen += 1) visitClass(answers, answers.seen, asked);
  return answers;
}

/** The outcomes of a source's singles; those that arrived since the last question are judged now. */
export function answersOneByOne(answers: SourceAnswers, asked: Asked): SingleAnswers {
  const { byKey } = asked.book;
  let found = byKey.get(asked.source.key);
  if (found === undefined) {
    found = { outcomes: [], byClass: new Map() };
    if (answers.singles.length === 0) return found;
    if (byKey.size >= MOST_SOURCES) byKey.clear();
    byKey.set(asked.source.key, found);
  }
  for (const id of answers.singles.slice(found.outcomes.length)) {
    const outcome = judgeClass(id, asked);
    found.outcomes.push(outcome);
    found.byClass.set(id, outcome);
  }
  return found;
}

/** The outcome of a class's pattern; a pattern met for the first time is judged by the class that has it. */
export function outcomeOfPattern(
  gate: Gate,
  met: { readonly pattern: number; readonly id: ClassId },
  asked: Asked,
): OutcomeId {
  const found = gate.outcomes[met.pattern] ?? -1;
  if (found >= 0) return found;
  const outcome = judgeClass(met.id, asked);
  gate.outcomes[met.pattern] = outcome;
  return outcome;
}

/** What is wrong with a class whose head is ruled out: the same for all that are ruled out by the same rule. */
export function outcomeOfRuling(answers: SourceAnswers, id: ClassId, asked: Asked): OutcomeId {
  const head = asked.columns.allStems[asked.columns.stems[id] ?? -1]?.head ?? -1;
  const ruling = answers.rulings[head] ?? "open";
  const found = asked.book.byRuling.get(ruling);
  if (found !== undefined) return found;
  const outcome = judgeClass(id, asked);
  asked.book.byRuling.set(ruling, outcome);
  return outcome;
}

function noAnswers(source: CompiledSource): SourceAnswers {
  return {
    head: headOf(source.profile),
    seen: 0,
    rulings: [],
    gates: new Map(),
    singles: [],
  };
}

function visitClass(answers: SourceAnswers, id: ClassId, { columns, source }: Asked): void {
  const stem = columns.allStems[columns.stems[id] ?? -1];
  if (stem === undefined || rulingOf(answers, columns, stem.head) !== "open") return;
  if (!source.plain || stem.kind === "whole") answers.singles.push(id);
  else if (!answers.gates.has(stem.id)) {
    answers.gates.set(stem.id, { stem, outcomes: new Int16Array(PATTERNS).fill(-1) });
  }
}

function rulingOf(answers: SourceAnswers, columns: ClassColumns, number: number): Ruling | "open" {
  const found = answers.rulings[number];
  if (found !== undefined) return found;
  const head = columns.heads.heads[number];
  const ruling = (head && findRuling(answers.head, head)) ?? "open";
  answers.rulings[number] = ruling;
  return ruling;
}

function judgeClass(id: ClassId, { book, columns, source }: Asked): OutcomeId {
  const judgement = book.judge(source.profile, profileOfClass(columns, id));
  const key = JSON.stringify(
    judgement.kind === "compatible" ? [judgement.grade] : [judgement.kind, judgement.rule, judgement.code],
  );
  const seen = book.outcomeIds.get(key);
  if (seen !== undefined) return seen;
  const outcome = book.judgements.length;
  if (outcome > MOST_OUTCOMES) throw new RangeError(`More than ${MOST_OUTCOMES} distinct judgements`);
  book.outcomeIds.set(key, outcome);
  book.judgements.push(judgement);
  return outcome;
}
