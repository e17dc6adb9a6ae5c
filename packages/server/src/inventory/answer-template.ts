// SPDX-License-Identifier: Apache-2.0

import { slotOfHole, textForHole, type CutText, type Hole, type HoleEnd, type ProfileForm } from "./evidence-holes.ts";

/** A profile whose texts fill holes, and those that were made for it so far, by slot. */
export interface FilledProfile {
  readonly form: ProfileForm;
  readonly fillings: (string | undefined)[];
}

/** A cut text, made ready to be filled often. */
export interface Template {
  /** One more than holes: what stands before, between and after them. */
  readonly pieces: readonly string[];
  readonly holes: readonly Hole[];
  /** By hole: where its text is kept; below 0 where it is not. */
  readonly slots: readonly number[];
}

/** Makes a template for profiles of the forms of these ends. `known` holds pieces that others are made of too. */
export function createTemplate(
  { pieces, holes }: CutText,
  ends: Readonly<Record<HoleEnd, Pick<FilledProfile, "form">>>,
  known: Map<string, string>,
): Template {
  const slots = holes.map((hole) => slotOfHole(ends[hole.end].form, hole) ?? -1);
  return { pieces: pieces.map((piece) => internPiece(piece, known)), holes, slots };
}

/**
 * A text of its own: one that is cut from another keeps it alive, and takes two bytes a character where that did. Made
 * before it is looked up, because the engine keeps one of equal keys, and joins of a text with wide ones are wide.
 */
function internPiece(piece: string, known: Map<string, string>): string {
  const encoding = /^[\u0000-\u00ff]*$/.test(piece) ? "latin1" : "utf16le";
  const made = Buffer.from(piece, encoding).toString(encoding);
  const seen = known.get(made);
  if (seen === undefined) known.set(made, made);
  return seen ?? made;
}

/** The template of one pair's answer for one destination: what is left to fill is the source's. */
export function settleTemplate({ pieces, holes, slots }: Template, destination: ProfileForm): Template {
  const settled: string[] = [];
  const left: number[] = [];
  let parts = [pieces[0] ?? ""];
  for (const [at, hole] of holes.entries()) {
    if (hole.end === "source") {
      left.push(at);
      settled.push(parts.join(""));
      parts = [];
    } else {
      parts.push(textForHole(destination, hole));
    }
    parts.push(pieces[at + 1] ?? "");
  }
  settled.push(parts.join(""));
  return {
    pieces: settled,
    holes: left.flatMap((at) => holes[at] ?? []),
    slots: left.map((at) => slots[at] ?? -1),
  };
}

/** One template of several and of plain texts, in their order, whose holes are all of profiles of one form. */
export function joinTemplates(parts: readonly (Template | string)[]): Template {
  const pieces: string[] = [];
  const holes: Hole[] = [];
  const slots: number[] = [];
  let open: string[] = [];
  for (const part of parts) {
    if (typeof part === "string") {
      open.push(part);
      continue;
    }
    const [first = "", ...rest] = part.pieces;
    open.push(first);
    for (const piece of rest) {
      pieces.push(open.join(""));
      open = [piece];
    }
    holes.push(...part.holes);
    slots.push(...part.slots);
  }
  pieces.push(open.join(""));
  return { pieces, holes, slots };
}

/** Appends the text of a template that has holes of one profile only: pieces, and between them what fills the holes. */
export function fillTemplate({ pieces, holes, slots }: Template, profile: FilledProfile, out: string[]): void {
  // Not through a list: the engine copies what is added up once, when the whole answer is read.
  let text = pieces[0] ?? "";
  for (let at = 0; at < slots.length; at += 1) {
    const slot = slots[at] ?? -1;
    const filling = slot < 0 ? undefined : profile.fillings[slot];
    text += (filling ?? fillHole(holes[at], slot, profile)) + (pieces[at + 1] ?? "");
  }
  out.push(text);
}

function fillHole(hole: Hole | undefined, slot: number, { form, fillings }: FilledProfile): string {
  if (hole === undefined) throw new Error("A template has fewer holes than slots");
  const made = textForHole(form, hole);
  if (slot >= 0) fillings[slot] = made;
  return made;
}
