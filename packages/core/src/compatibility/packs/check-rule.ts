// SPDX-License-Identifier: Apache-2.0

import type { Reading } from "../../device/evidence.ts";
import type { MigrationProfile } from "../../device/migration-profile.ts";
import type { Findings, Missing, Remedy, Side } from "../verdict.ts";
import { findings, NO_FINDINGS } from "../verdict.ts";
import { checkCondition } from "./conditions.ts";
import type { DriverPack, FactName, PackRule } from "./pack.ts";
import type { Comparison } from "./primitives.ts";
import { compareFacts, comparePair, compareState } from "./primitives.ts";
import { readAliasedFact } from "./read-fact.ts";
import { findRemedy } from "./remedies.ts";

/** Both ends of a move, as a pack sees them. */
export interface Ends {
  readonly source: MigrationProfile;
  readonly destination: MigrationProfile;
}

/** One rule's facts at both ends. A rule that looks at one end only leaves the other undefined. */
interface RuleFacts {
  readonly source: NamedReading | undefined;
  readonly destination: NamedReading | undefined;
}

interface NamedReading {
  readonly name: FactName;
  readonly reading: Reading<string>;
}

/**
 * Evaluates one rule of a pack (R11). A condition that fails takes the rule out of the question; an unknown condition, a
 * missing or malformed fact and a doubtful rule answer "missing", never yes or no.
 */
export function checkRule(rule: PackRule, pack: DriverPack, ends: Ends): Findings {
  const open = checkConditions(rule, pack, ends);
  if (open === "fails") return NO_FINDINGS;
  const facts = readRuleFacts(rule, pack, ends);
  if (rule.doubtful === true) return miss(rule, facts, { why: "doubtful: only read about, not tried" });
  if (open !== "holds") return miss(rule, facts, { why: open.why, declare: open.fact });
  const compared = compare(rule, facts);
  if (compared === undefined) return miss(rule, facts, explainUnknown(facts));
  return conclude(rule, { pack, facts, compared });
}

/** Turns what the primitive said into findings: a yes rests on the rule, a no carries both values and a remedy. */
function conclude(
  rule: PackRule,
  given: { readonly pack: DriverPack; readonly facts: RuleFacts; readonly compared: Comparison },
): Findings {
  const { pack, facts, compared } = given;
  const sides = formatSides(facts);
  switch (compared.kind) {
    case "holds":
      return findings({
        restsOn: [{ rule: "R11", code: rule.code, text: rule.text, confidence: "declared", ...sides }],
      });
    case "malformed":
      return miss(rule, facts, {
        why: `cannot read ${facts[compared.side]?.name ?? rule.fact} of the ${compared.side}: ${compared.why}`,
      });
    case "fails": {
      if (rule.failing === "undetermined")
        return miss(rule, facts, { why: `${compared.why}, and nobody says that it works` });
      const remedy = findRemedy({
        rule,
        packName: pack.name,
        source: textOf(facts.source),
        destination: textOf(facts.destination),
      });
      const text = `${rule.text}: ${compared.why}`;
      return findings({ reasons: [{ rule: "R11", code: rule.code, text, ...sides, ...(remedy && { remedy }) }] });
    }
  }
}

/** The conditions of a rule together; where they leave it open, why, and the fact that would decide. */
type Conditions = "holds" | "fails" | { readonly why: string; readonly fact: FactName };

/** All conditions together: one that fails decides, one that is unknown leaves the rule open. */
function checkConditions(rule: PackRule, pack: DriverPack, ends: Ends): Conditions {
  let open: Conditions = "holds";
  for (const condition of rule.when ?? []) {
    const answer = checkCondition(condition, {
      source: readAliasedFact(ends.source, condition.fact, pack.aliases),
      destination: readAliasedFact(ends.destination, condition.fact, pack.aliases),
    });
    if (answer === "fails") return "fails";
    if (answer === "unknown" && open === "holds") {
      open = { why: `whether it applies depends on fact ${condition.fact}, which is not known`, fact: condition.fact };
    }
  }
  return open;
}

/** Reads the facts that a rule compares. For `in-range` the destination's fact is the range. */
function readRuleFacts(rule: PackRule, pack: DriverPack, ends: Ends): RuleFacts {
  const read = (profile: MigrationProfile, name: FactName): NamedReading => ({
    name,
    reading: readAliasedFact(profile, name, pack.aliases),
  });
  const oneSide = rule.kind === "refused" ? rule.side : undefined;
  return {
    source: oneSide === "destination" ? undefined : read(ends.source, rule.fact),
    destination:
      oneSide === "source" ? undefined : read(ends.destination, rule.kind === "in-range" ? rule.range : rule.fact),
  };
}

/** Runs the primitive on what is known; undefined where a fact that decides is not. */
function compare(rule: PackRule, facts: RuleFacts): Comparison | undefined {
  const source = textOf(facts.source);
  const destination = textOf(facts.destination);
  if (rule.kind === "pair-exception") return comparePair(rule, source, destination);
  if (rule.kind === "refused") {
    const text = rule.side === "source" ? source : destination;
    return text === undefined ? undefined : compareState(rule, text);
  }
  return source === undefined || destination === undefined ? undefined : compareFacts(rule, source, destination);
}

function textOf(fact: NamedReading | undefined): string | undefined {
  return fact?.reading.kind === "known" ? fact.reading.value : undefined;
}

/** Why a rule cannot be decided, and the fact that a person could declare. */
interface Lack {
  readonly why: string;
  readonly declare?: FactName;
}

/** Names each end whose fact is not known. */
function explainUnknown(facts: RuleFacts): Lack {
  const ends = [
    { fact: facts.source, end: "source" },
    { fact: facts.destination, end: "destination" },
  ];
  const lacking = ends.flatMap(({ fact, end }) =>
    fact !== undefined && fact.reading.kind !== "known" ? [{ fact, end }] : [],
  );
  const why = lacking.map(({ fact, end }) => explainReading(fact, end)).join("; ");
  const first = lacking[0]?.fact.name;
  return first === undefined ? { why } : { why, declare: first };
}

function explainReading(fact: NamedReading, end: string): string {
  const { reading } = fact;
  if (reading.kind === "unreadable") return `fact ${fact.name} of the ${end} could not be read: ${reading.why}`;
  return `fact ${fact.name} of the ${end} is not known`;
}

/** One missing fact, under the rule's own code. */
function miss(rule: PackRule, facts: RuleFacts, lack: Lack): Findings {
  const remedy: Remedy | undefined = lack.declare === undefined ? undefined : { kind: "declare", fact: lack.declare };
  const missing: Missing = {
    rule: "R11",
    code: rule.code,
    text: `${rule.text}: ${lack.why}`,
    ...formatSides(facts),
    ...(remedy && { remedy }),
  };
  return findings({ missing: [missing] });
}

function formatSides(facts: RuleFacts): { readonly source?: Side; readonly destination?: Side } {
  return {
    ...(facts.source && { source: formatSide(facts.source.reading) }),
    ...(facts.destination && { destination: formatSide(facts.destination.reading) }),
  };
}

function formatSide(reading: Reading<string>): Side {
  return reading.kind === "known"
    ? { value: reading.value, evidence: reading.evidence }
    : { evidence: reading.evidence };
}
