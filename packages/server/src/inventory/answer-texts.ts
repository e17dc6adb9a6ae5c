// SPDX-License-Identifier: Apache-2.0

import type { Policy } from "@berth/core/compatibility/policy";
import type { Memory } from "@berth/core/compatibility/pair";
import type { LoadedPack } from "@berth/core/compatibility/packs/pack";
import type { Verdict } from "@berth/core/compatibility/verdict";
import type { MigrationProfile } from "@berth/core/device/migration-profile";
import type { CompiledSource } from "@berth/core/inventory/compiled-source";
import { compileSource, type MigrationIndex } from "@berth/core/inventory/migration-index";
import { judgePair } from "@berth/core/placement/judge";
import type { Strategy } from "@berth/core/placement/request";
import { formatProfileDocument } from "@berth/core/protocol/profile-schema";
import { createTemplate, fillTemplate, settleTemplate, type FilledProfile, type Template } from "./answer-template.ts";
import { cutText, formOfProfile, markProfile, type HoleEnd } from "./evidence-holes.ts";
import { sizeOfList, type FoundList, type FoundLists } from "./found-list.ts";

/** What verdicts rest on beside the two profiles. */
export interface AnswerBasis {
  readonly policy: Policy;
  readonly packs: readonly LoadedPack[];
  readonly memory: Memory;
  readonly index: MigrationIndex;
}

/** Both verdicts about a pair. Where there is a template, their evidence may be that of another pair of the same forms. */
export interface PairAnswer {
  readonly verdict: Verdict;
  readonly platform: Verdict;
  /** `"verdict":{...},"platform":{...}` of this pair, as it stands or as a template for its two ends. */
  readonly text: string | Template;
}

/** What all profiles of one form have in common. */
interface KnownForm {
  readonly number: number;
  compiled?: CompiledSource;
  document?: Template | "whole";
  /** As source: by the number of the destination's form. `met`: judged once, not yet cut; `whole`: cannot be cut. */
  readonly pairs: Map<number, PairAnswer | "met" | "whole">;
  readonly marked: Partial<Record<HoleEnd, MigrationProfile>>;
  /** As source: what was found last. */
  readonly lists: FoundLists;
}

/** One profile and what is known of its form. */
export interface KnownProfile extends FilledProfile {
  readonly profile: MigrationProfile;
  /** Undefined where the profile has no form: it is judged each time. */
  readonly known: KnownForm | undefined;
  /** Counts how often all was forgotten. */
  readonly era: number;
}

/** All is forgotten at once when more than these are known. */
const MOST_FORMS = 32_768;
const MOST_TEMPLATES = 131_072;
/** Characters and numbers of all lists that were found. */
const MOST_LISTED = 64 * 2 ** 20;

/**
 * Writes answers about pairs of profiles as JSON. Fleets have few forms of profiles beside their many places: a pair of
 * forms that is met again is written from what was cut from an answer before, with the evidence of its own two ends, and
 * not judged again. The text is that of judging it. Owns the memory for that, which has an end.
 */
export class AnswerTexts {
  #basis: AnswerBasis | undefined;
  #era = 0;
  #templates = 0;
  #listed = 0;
  readonly #forms = new Map<string, KnownForm>();
  /** Templates are cut from few pieces: each is kept once. */
  readonly #pieces = new Map<string, string>();

  /** Forgets what rests on another basis, and everything where it became too much. To be called before each answer. */
  restOn(basis: AnswerBasis): void {
    const { policy, packs, memory, index } = this.#basis ?? {};
    const isSame = policy === basis.policy && packs === basis.packs && memory === basis.memory && index === basis.index;
    const isMuch = this.#forms.size >= MOST_FORMS || this.#templates >= MOST_TEMPLATES || this.#listed >= MOST_LISTED;
    if (isSame && !isMuch) return;
    this.#basis = basis;
    this.#era += 1;
    this.#templates = 0;
    this.#listed = 0;
    this.#forms.clear();
    this.#pieces.clear();
  }

  /** Takes a profile apart; costs a walk over it. What comes of it may be kept for as long as `isKept`. */
  know(profile: MigrationProfile): KnownProfile {
    const form = formOfProfile(profile);
    return { profile, form, known: this.#knowForm(form.key), era: this.#era, fillings: [] };
  }

  isKept({ era }: KnownProfile): boolean {
    return era === this.#era;
  }

  /** The verdicts about a pair. */
  answerPair(source: KnownProfile, destination: KnownProfile): PairAnswer {
    if (source.known === undefined || destination.known === undefined) return this.#judge(source, destination);
    const { pairs } = source.known;
    const seen = pairs.get(destination.known.number);
    if (typeof seen === "object") return seen;
    const judged = this.#judge(source, destination);
    if (seen === "whole") return judged;
    const next = seen === undefined ? "met" : this.#cutPair({ source, destination }, judged.text);
    pairs.set(destination.known.number, next);
    if (seen === undefined) this.#templates += 1;
    return judged;
  }

  /** Keeps what was found last for sources of one form, in place of what was kept for the same strategy. */
  keepList({ known }: KnownProfile, strategy: Strategy, list: FoundList): void {
    if (known === undefined) return;
    this.#listed += sizeOfList(list) - sizeOfList(known.lists[strategy]);
    known.lists[strategy] = list;
  }

  /** Appends texts that make a profile's document (docs/schemas/profile.json) when they are joined. */
  writeDocument(source: KnownProfile, out: string[]): void {
    const { known, profile } = source;
    if (known !== undefined) known.document ??= this.#cutDocument(source);
    if (known?.document === undefined || known.document === "whole") {
      out.push(JSON.stringify(formatProfileDocument(profile)));
    } else {
      fillTemplate(known.document, source, out);
    }
  }

  /** The source as the index takes it; its evidence may be that of another source of the same form. */
  compile({ known, profile }: KnownProfile): CompiledSource {
    const { index } = this.#requireBasis();
    if (known === undefined) return compileSource(index, profile);
    known.compiled ??= compileSource(index, profile);
    return known.compiled;
  }

  #requireBasis(): AnswerBasis {
    if (this.#basis === undefined) throw new Error("Answers are written without a basis");
    return this.#basis;
  }

  #judge(
    { profile: source }: HasProfile,
    { profile: destination }: HasProfile,
  ): PairAnswer & { readonly text: string } {
    const { policy, packs, memory } = this.#requireBasis();
    const { verdict, platform } = judgePair({ source, destination, policy, packs, memory });
    const text = `"verdict":${JSON.stringify(verdict)},"platform":${JSON.stringify(platform)}`;
    return { verdict, platform, text };
  }

  /** Judges a marked pair and cuts the answer; what comes out must be, filled again, the answer to the pair itself. */
  #cutPair({ source, destination }: Record<HoleEnd, KnownProfile>, expected: string): PairAnswer | "whole" {
    const marked = [markedFor(source, "source"), markedFor(destination, "destination")] as const;
    const { verdict, platform, text } = this.#judge({ profile: marked[0] }, { profile: marked[1] });
    const cut = cutText(text, { source: source.form, destination: destination.form });
    if (cut === undefined) return "whole";
    const template = createTemplate(cut, { source, destination }, this.#pieces);
    const isRight = textOf(settleTemplate(template, destination.form), source) === expected;
    return isRight ? { text: template, verdict, platform } : "whole";
  }

  #cutDocument(source: KnownProfile): Template | "whole" {
    const cut = cutText(JSON.stringify(formatProfileDocument(markedFor(source, "source"))), { source: source.form });
    if (cut === undefined) return "whole";
    const template = createTemplate(cut, { source, destination: source }, this.#pieces);
    const isRight = textOf(template, source) === JSON.stringify(formatProfileDocument(source.profile));
    return isRight ? template : "whole";
  }

  #knowForm(key: string | undefined): KnownForm | undefined {
    if (key === undefined) return undefined;
    const seen = this.#forms.get(key);
    if (seen !== undefined) return seen;
    const made: KnownForm = { number: this.#forms.size, pairs: new Map(), marked: {}, lists: {} };
    this.#forms.set(key, made);
    return made;
  }
}

type HasProfile = Pick<KnownProfile, "profile">;

function markedFor({ known, profile }: KnownProfile, end: HoleEnd): MigrationProfile {
  if (known === undefined) return markProfile(profile, end);
  known.marked[end] ??= markProfile(profile, end);
  return known.marked[end];
}

function textOf(template: Template, source: KnownProfile): string {
  const out: string[] = [];
  fillTemplate(template, source, out);
  return out.join("");
}
