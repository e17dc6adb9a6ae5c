// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "../device/quoted-text.ts";

/** A variable of a block: its first appearance fixes its kind and the values that it may take. */
export type Variable =
  | { readonly kind: "int"; readonly name: string; readonly values: readonly [bigint, ...bigint[]] }
  | { readonly kind: "string"; readonly name: string; readonly values: readonly [string, ...string[]] };

/** A piece of a template. `bind` is a variable's first appearance; a `use` divides an int variable, by 1 as a rule. */
export type Part =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "bind"; readonly name: string }
  | { readonly kind: "use"; readonly name: string; readonly divisor: bigint };

/** The value of one field. No parts: the empty text, which an absent field matches as well. */
export type Template = readonly Part[];

/** One item of a bind's list. Braces are left out of quotes too: a template inside quotes could be read in two ways. */
const ITEM = /("[^"{}\n]*"|[^",{} \t\n]+)(,|$)/y;
const BRACES = /\{([A-Za-z_]\w*)(?::(int|string):([^{}]*))?\}(?:\/(\d+))?(\/\d)?/y;
const LITERAL = /[^"{} \t\n]+/y;

/**
 * Reads one value of the template language (P6, P7, P10): `"text"`, or literals, binds `{name:int|string:item,...}` and
 * uses `{name}`, `{name}/k`. A template is data and never code. Variables that are bound here are added to `variables`,
 * which holds those of the fields before. Throws SyntaxError, for an unbound or twice bound variable too.
 */
export function parseTemplate(text: string, variables: Map<string, Variable>): Template {
  const quoted = /^"([^"{}\n]*)"$/.exec(text);
  if (quoted !== null) return quoted[1] === undefined || quoted[1] === "" ? [] : [literal(quoted[1])];
  const parts: Part[] = [];
  for (let at = 0; at < text.length;) {
    LITERAL.lastIndex = BRACES.lastIndex = at;
    const plain = LITERAL.exec(text);
    const braces = plain === null ? BRACES.exec(text) : null;
    if (plain === null && braces === null) throw malformed("a literal, {name:type:items} or {name}", text);
    parts.push(plain === null ? parsePart(braces ?? [], variables) : literal(plain[0]));
    at = plain === null ? BRACES.lastIndex : LITERAL.lastIndex;
  }
  return parts;
}

/** Writes a template so that `parseTemplate` reads the same again; items of a string variable are always quoted. */
export function formatTemplate(template: Template, variables: ReadonlyMap<string, Variable>): string {
  const [first] = template;
  const isPlain = first === undefined || (template.length === 1 && first.kind === "literal");
  if (isPlain && !(first?.kind === "literal" && /^[^ \t]+$/.test(first.text))) {
    return `"${first?.kind === "literal" ? first.text : ""}"`;
  }
  return template.map((part) => formatPart(part, variables)).join("");
}

/** The variable of a part. A block that was parsed binds every variable that it uses. */
export function variableOf(name: string, variables: ReadonlyMap<string, Variable>): Variable {
  const variable = variables.get(name);
  if (variable === undefined) throw new Error(`The variable ${quoteText(name)} is not bound`);
  return variable;
}

function literal(text: string): Part {
  return { kind: "literal", text };
}

/** `match` is one of BRACES: name, type, items, divisor, and the start of a second division. */
function parsePart(match: readonly (string | undefined)[], variables: Map<string, Variable>): Part {
  const [whole = "", name = "", type, items = "", divisor, second] = match;
  const bound = variables.get(name);
  if (second !== undefined) throw malformed("one division", whole);
  if (type !== undefined) {
    if (bound !== undefined) throw malformed(`${quoteText(name)} to be bound once`, whole);
    if (divisor !== undefined) throw malformed("a division only after {name}", whole);
    variables.set(name, parseVariable(name, type, items));
    return { kind: "bind", name };
  }
  if (bound === undefined) throw malformed(`${quoteText(name)} to be bound before it is used`, whole);
  if (divisor === undefined) return { kind: "use", name, divisor: 1n };
  if (bound.kind !== "int") throw malformed("a division only of an int variable", whole);
  const by = parseUint(divisor);
  if (by === 0n) throw malformed("no division by 0", whole);
  return { kind: "use", name, divisor: by };
}

function parseVariable(name: string, type: string, text: string): Variable {
  const items: string[] = [];
  for (let at = 0, isMore = true; isMore; at = ITEM.lastIndex) {
    ITEM.lastIndex = at;
    const match = ITEM.exec(text);
    if (match === null) throw malformed("items with commas between them", text);
    items.push(match[1] ?? "");
    isMore = match[2] === ",";
  }
  const [first = "", ...rest] = items;
  if (type === "int") return { kind: "int", name, values: [parseUint(first), ...rest.map(parseUint)] };
  return { kind: "string", name, values: [unquote(first), ...rest.map(unquote)] };
}

function unquote(item: string): string {
  return item.startsWith('"') ? item.slice(1, -1) : item;
}

/** One spelling for each number: a type name that the number becomes part of is compared as text. */
function parseUint(text: string): bigint {
  if (!/^(?:0|[1-9]\d{0,17})$/.test(text)) throw malformed("a decimal number without leading zeros", text);
  return BigInt(text);
}

function formatPart(part: Part, variables: ReadonlyMap<string, Variable>): string {
  if (part.kind === "literal") return part.text;
  if (part.kind === "use") return part.divisor === 1n ? `{${part.name}}` : `{${part.name}}/${part.divisor}`;
  const variable = variableOf(part.name, variables);
  const items = variable.kind === "int" ? variable.values.map(String) : variable.values.map((item) => `"${item}"`);
  return `{${part.name}:${variable.kind}:${items.join(",")}}`;
}

function malformed(expected: string, text: string): SyntaxError {
  return new SyntaxError(`Cannot parse a template: expected ${expected}, got ${quoteText(text)}`);
}
