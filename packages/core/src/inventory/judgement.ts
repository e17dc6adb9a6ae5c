// SPDX-License-Identifier: Apache-2.0

import { checkMigration } from "../compatibility/check-migration.ts";
import { findNature, type Nature } from "../compatibility/nature.ts";
import { matchPack, packSubjectOf } from "../compatibility/packs/match-pack.ts";
import type { DriverPack, LoadedPack, PackRule } from "../compatibility/packs/pack.ts";
import type { Pair } from "../compatibility/pair.ts";
import { CONFIDENCES, type RuleId, type Verdict } from "../compatibility/verdict.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import type { ClassRules } from "./equivalence-class.ts";

/** What an index keeps of a verdict. It must not depend on who, where or by what evidence, only on the two classes. */
export type Judgement =
  /** `grade`: smaller is better, from 0 to 255; it orders before everything else. */
  | { readonly kind: "compatible"; readonly grade: number }
  /** `rule` and `code`: of the first reason, or of the first missing fact. A later rule is a nearer miss. */
  | { readonly kind: Nature; readonly rule: number; readonly code: string };

/** Decides one pair. Pure and total; an index asks it once per pair of classes, or more rarely. */
export type Judge = (source: MigrationProfile, destination: MigrationProfile) => Judgement;

/** What stays the same over all questions to an index. */
export type JudgeContext = Pick<Pair, "policy" | "packs" | "memory">;

/** Facts that rules R1 to R9 read by name. */
const FACTS_OF_RULES: readonly string[] = ["ap_bind_state", "device_identity"];
/** The fact behind `os_id` and `os_version`. */
const OS_FACT = "os";

/** Judges by `checkMigration` (R1 to R9, R11); a surer yes has a better grade. Room and platform are no part of it. */
export function judgeBy(context: JudgeContext): Judge {
  return (source, destination) => judgementOf(checkMigration({ source, destination, ...context }));
}

/** The part of a verdict by which places are ordered and counted. */
export function judgementOf(verdict: Verdict): Judgement {
  if (verdict.kind === "compatible") return { kind: "compatible", grade: CONFIDENCES.indexOf(verdict.confidence) };
  const [first] = verdict.kind === "incompatible" ? verdict.reasons : verdict.missing;
  return { kind: findNature(verdict) ?? "unknown", rule: ruleNumber(first.rule), code: first.code };
}

/** What a judge with these packs reads of a profile: the facts that any pack names, and the version where one names it. */
export function classRulesOf(packs: readonly LoadedPack[]): ClassRules {
  const factNames = new Set([...FACTS_OF_RULES, OS_FACT, ...packs.flatMap(({ pack }) => factsOf(pack))]);
  const curious = packs.filter(({ pack }) => factsOf(pack).includes("software_version"));
  return {
    factNames,
    readsWholeVersion: (profile) => curious.some((pack) => matchPack(pack, packSubjectOf(profile)) !== "no"),
  };
}

function factsOf(pack: DriverPack): readonly string[] {
  return [...pack.rules.flatMap(factsOfRule), ...Object.values(pack.aliases ?? {})];
}

function factsOfRule(rule: PackRule): readonly string[] {
  const range = rule.kind === "in-range" ? [rule.range] : [];
  return [rule.fact, ...range, ...(rule.when ?? []).map((condition) => condition.fact)];
}

function ruleNumber(rule: RuleId): number {
  return Number(rule.slice(1));
}
