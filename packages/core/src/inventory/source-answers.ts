// SPDX-License-Identifier: Apache-2.0

import type { ClassColumns, ClassId, Stem } from "./class-columns.ts";
import { headOf, isRuledOut, type Head } from "./class-heads.ts";
import { PATTERNS, profileOfClass, type CompiledSource } from "./compiled-source.ts";
import type { Judge, Judgement } from "./judgement.ts";

/** Number of an outcome in the list of outcomes. */
export type OutcomeId = number;

/**
 * What was found out about the sources of one stem. A plain source and a plain class are judged by pattern: how the
 * versions stand to each other and which fields lack an item decide, not the class. All others are judged one by one.
 */
export interface SourceAnswers {
  readonly head: Head;
  /** Classes looked at so far; later ones are new. */
  seen: number;
  /** By head number: whether it is ruled out. */
  readonly ruledOut: boolean[];
  /** Plain stems that their heads do not rule out, by stem number. */
  readonly gates: Map<number, Gate>;
  /** Classes judged one by one. */
  readonly single: Map<ClassId, OutcomeId>;
  /** Those among them that are compatible. */
  readonly singleYes: ClassId[];
  /** What is wrong with all classes of a head that is ruled out, by head number; only for explanations. */
  readonly ruledOutOutcomes: Map<number, OutcomeId>;
}

/** The outcomes of one stem's patterns; -1 where a pattern has not been met. */
export interface Gate {
  readonly stem: Stem;
  readonly outcomes: Int16Array;
}

/** Everything that judges said, each distinct judgement once. */
export interface AnswerBook {
  judge: Judge;
  readonly judgements: Judgement[];
  readonly outcomeIds: Map<string, OutcomeId>;
  readonly byStem: Map<string, SourceAnswers>;
}

/** Kept sources of more stems than these are forgotten, all at once. */
const MOST_STEMS = 4096;
/** As many as an Int16Array can number. */
const MOST_OUTCOMES = 32767;

/** Nothing judged yet. */
export function createAnswerBook(judge: Judge): AnswerBook {
  return { judge, judgements: [], outcomeIds: new Map(), byStem: new Map() };
}

/**
 * The answers about a source, over all classes that there are now. The first question about a stem visits every class
 * once; classes that arrive later are visited when the next question comes.
 */
export function answersAbout(book: AnswerBook, columns: ClassColumns, source: CompiledSource): SourceAnswers {
  let answers = book.byStem.get(source.stem);
  if (answers === undefined) {
    if (book.byStem.size >= MOST_STEMS) book.byStem.clear();
    answers = noAnswers(source);
    book.byStem.set(source.stem, answers);
  }
  for (; answers.seen < columns.length; answers.seen += 1) visitClass(answers, answers.seen, { book, columns, source });
  return answers;
}

/** The outcome of a pattern; a pattern met for the first time is judged by the class that has it. */
export function outcomeOfPattern(
  gate: Gate,
  pattern: number,
  asked: {
    readonly book: AnswerBook;
    readonly columns: ClassColumns;
    readonly source: CompiledSource;
    readonly id: ClassId;
  },
): OutcomeId {
  const found = gate.outcomes[pattern] ?? -1;
  if (found >= 0) return found;
  const outcome = judgeClass(asked.id, asked);
  gate.outcomes[pattern] = outcome;
  return outcome;
}

/** What is wrong with every class of a head that is ruled out. */
export function outcomeOfHead(answers: SourceAnswers, id: ClassId, asked: Asked): OutcomeId {
  const head = asked.columns.allStems[asked.columns.stems[id] ?? -1]?.head ?? -1;
  const found = answers.ruledOutOutcomes.get(head);
  if (found !== undefined) return found;
  const outcome = judgeClass(id, asked);
  answers.ruledOutOutcomes.set(head, outcome);
  return outcome;
}

interface Asked {
  readonly book: AnswerBook;
  readonly columns: ClassColumns;
  readonly source: CompiledSource;
}

function noAnswers(source: CompiledSource): SourceAnswers {
  return {
    head: headOf(source.profile),
    seen: 0,
    ruledOut: [],
    gates: new Map(),
    single: new Map(),
    singleYes: [],
    ruledOutOutcomes: new Map(),
  };
}

function visitClass(answers: SourceAnswers, id: ClassId, asked: Asked): void {
  const { columns, source, book } = asked;
  const stem = columns.allStems[columns.stems[id] ?? -1];
  if (stem === undefined || isHeadRuledOut(answers, columns, stem.head)) return;
  if (source.plain && stem.kind === "plain") {
    if (!answers.gates.has(stem.id)) answers.gates.set(stem.id, { stem, outcomes: new Int16Array(PATTERNS).fill(-1) });
    return;
  }
  const outcome = judgeClass(id, asked);
  answers.single.set(id, outcome);
  if (book.judgements[outcome]?.kind === "compatible") answers.singleYes.push(id);
}

function isHeadRuledOut(answers: SourceAnswers, columns: ClassColumns, number: number): boolean {
  const found = answers.ruledOut[number];
  if (found !== undefined) return found;
  const head = columns.heads.heads[number];
  const ruledOut = head !== undefined && isRuledOut(answers.head, head);
  answers.ruledOut[number] = ruledOut;
  return ruledOut;
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
