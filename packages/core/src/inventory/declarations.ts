// SPDX-License-Identifier: Apache-2.0

import type { FactDeclaration, Policy } from "../compatibility/policy.ts";
import { absent, known, unreadable, type Evidence, type Reading } from "../device/evidence.ts";
import type { HostSnapshot } from "../device/host-snapshot.ts";
import { parseTypeId, type TypeId } from "../device/mdev-type.ts";
import type { Subject } from "../device/migration-profile.ts";

type Facts = Readonly<Record<string, Reading<string>>>;

/** Where the operator's own statements stand. */
const POLICY_FILE = "policy file";

/**
 * The type that the operator declares for a physical function (R3). Absent where nothing is declared; unreadable where
 * several statements about it disagree.
 */
export function findDeclaredType(snapshot: HostSnapshot, address: string, policy: Policy): Reading<TypeId> {
  const evidence: Evidence = { host: snapshot.host, source: "declaration", path: POLICY_FILE };
  const names = namesOfFunction(snapshot, address);
  const types = policy.signatures
    .filter((declared) => (declared.host === "*" || declared.host === snapshot.host) && names.has(declared.function))
    .map((declared) => declared.type);
  const [first, ...others] = new Set(types);
  if (first === undefined) return absent(evidence);
  const text = [first, ...others].join(", ");
  if (others.length > 0) return unreadable("Several signatures are declared for this function", { ...evidence, text });
  try {
    return known(parseTypeId(first), { ...evidence, text });
  } catch (error) {
    return unreadable(error instanceof Error ? error.message : "Not a type id", { ...evidence, text });
  }
}

function namesOfFunction(snapshot: HostSnapshot, address: string): ReadonlySet<string> {
  const found = snapshot.functions.find((candidate) => candidate.address === address);
  const names = new Set([address]);
  if (found?.ids.kind === "known") {
    const { vendor, device, subsystemVendor, subsystemDevice } = found.ids.value;
    names.add(`${vendor}:${device}`).add(`${vendor}:${device}:${subsystemVendor}:${subsystemDevice}`);
  }
  return names;
}

/**
 * The facts of one end, nearest first: the device's, its parent's, its host's; what the operator declares fills only
 * what nothing else knows. Declarations that name the subject come before those about the whole host.
 */
export function mergeFacts(subject: Subject, layers: readonly Facts[], policy: Policy): Facts {
  const merged = new Map<string, Reading<string>>();
  for (const layer of layers) {
    for (const [name, reading] of Object.entries(layer)) {
      const nearer = merged.get(name);
      if (nearer === undefined || nearer.kind === "absent") merged.set(name, reading);
    }
  }
  const declared = policy.facts.filter((fact) => concerns(fact, subject));
  for (const fact of declared.toSorted((a, b) => Number(a.subject === undefined) - Number(b.subject === undefined))) {
    const nearer = merged.get(fact.name);
    if (nearer !== undefined && nearer.kind !== "absent") continue;
    const evidence: Evidence = { host: subject.host, source: "declaration", path: POLICY_FILE, text: fact.value };
    merged.set(fact.name, known(fact.value, evidence));
  }
  return Object.fromEntries([...merged].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function concerns(fact: FactDeclaration, subject: Subject): boolean {
  if (fact.host !== "*" && fact.host !== subject.host) return false;
  return fact.subject === undefined || fact.subject === subject.id || fact.subject === subject.parent;
}
