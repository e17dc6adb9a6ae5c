// SPDX-License-Identifier: Apache-2.0

/** A piece of TypeScript that is neither white space nor comment. */
export interface Token {
  readonly kind: "word" | "string" | "template" | "regex" | "number" | "mark";
  /** As written; for a string its content, escapes left as they are; for a mark one character. */
  readonly text: string;
  /** Counted from 1. */
  readonly line: number;
}

interface Cursor {
  readonly text: string;
  at: number;
  line: number;
  /** For each `${` that is open: how many `{` are open inside it. */
  readonly nested: number[];
  readonly tokens: Token[];
}

const SPACE_OR_COMMENT = /\s+|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|^#![^\n]*/y;
const WORD = /#?[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/uy;
const NUMBER = /\.?\d(?:[eE][+-]|[\w.])*/y;
const STRING = /"(?:[^"\\\n]|\\[\s\S])*"?|'(?:[^'\\\n]|\\[\s\S])*'?/y;
const REGEX = /\/(?![*/])(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
/** From a backquote, or from the brace that ends a substitution, to the next `${` or the closing backquote. */
const TEMPLATE = /[`}](?:[^`\\$]|\\[\s\S]|\$(?!\{))*(`|\$\{|$)/y;

/** Words after which a slash begins a regular expression and not a division. */
const BEFORE_VALUE = new Set("await case delete do else in instanceof of return throw typeof void yield".split(" "));

/**
 * Parses TypeScript into tokens: enough to find imports and declarations without being misled by comments, strings,
 * templates or regular expressions. Text that does not parse yields some tokens and never throws: the compiler judges it.
 */
export function parseTokens(text: string): Token[] {
  const cursor: Cursor = { text, at: 0, line: 1, nested: [], tokens: [] };
  while (cursor.at < text.length) {
    if (skip(cursor, SPACE_OR_COMMENT)) continue;
    if (takeTemplate(cursor) || take(cursor, "word", WORD) || take(cursor, "number", NUMBER)) continue;
    if (takeString(cursor)) continue;
    if (isValueExpected(cursor.tokens.at(-1)) && take(cursor, "regex", REGEX)) continue;
    takeMark(cursor);
  }
  return cursor.tokens;
}

function match(cursor: Cursor, pattern: RegExp): RegExpExecArray | undefined {
  pattern.lastIndex = cursor.at;
  return pattern.exec(cursor.text) ?? undefined;
}

function advance(cursor: Cursor, text: string): void {
  cursor.at += text.length;
  for (const character of text) if (character === "\n") cursor.line += 1;
}

function skip(cursor: Cursor, pattern: RegExp): boolean {
  const found = match(cursor, pattern);
  if (found === undefined) return false;
  advance(cursor, found[0]);
  return true;
}

function take(cursor: Cursor, kind: Token["kind"], pattern: RegExp): boolean {
  const found = match(cursor, pattern);
  if (found === undefined) return false;
  cursor.tokens.push({ kind, text: found[0], line: cursor.line });
  advance(cursor, found[0]);
  return true;
}

function takeString(cursor: Cursor): boolean {
  const found = match(cursor, STRING);
  if (found === undefined) return false;
  const quote = found[0].charAt(0);
  const end = found[0].length > 1 && found[0].endsWith(quote) ? -1 : undefined;
  cursor.tokens.push({ kind: "string", text: found[0].slice(1, end), line: cursor.line });
  advance(cursor, found[0]);
  return true;
}

function takeTemplate(cursor: Cursor): boolean {
  const first = cursor.text[cursor.at];
  const goesOn = first === "}" && cursor.nested.at(-1) === 0;
  if (first !== "`" && !goesOn) return false;
  const found = match(cursor, TEMPLATE);
  if (found === undefined) return false;
  if (goesOn) cursor.nested.pop();
  if (found[1] === "${") cursor.nested.push(0);
  cursor.tokens.push({ kind: "template", text: found[0], line: cursor.line });
  advance(cursor, found[0]);
  return true;
}

function takeMark(cursor: Cursor): void {
  const text = String.fromCodePoint(cursor.text.codePointAt(cursor.at) ?? 0);
  const depth = cursor.nested.length - 1;
  if (depth >= 0 && text === "{") cursor.nested[depth] = (cursor.nested[depth] ?? 0) + 1;
  if (depth >= 0 && text === "}") cursor.nested[depth] = (cursor.nested[depth] ?? 0) - 1;
  cursor.tokens.push({ kind: "mark", text, line: cursor.line });
  advance(cursor, text);
}

function isValueExpected(before: Token | undefined): boolean {
  if (before === undefined) return true;
  if (before.kind === "word") return BEFORE_VALUE.has(before.text);
  if (before.kind === "template") return before.text.endsWith("${");
  return before.kind === "mark" && before.text !== ")" && before.text !== "]";
}
