// SPDX-License-Identifier: Apache-2.0

import type { CheckReport, Finding } from "./finding.ts";
import { isCode, isTestFile, listFiles, readText } from "./repository-files.ts";
import { parseTokens } from "./tokens.ts";
import type { Token } from "./tokens.ts";

/** Names that say nothing about what is inside; a file or folder is a noun of the field. */
const EMPTY_NAMES = new Set("utils util common shared types helpers helper services managers misc lib".split(" "));
/** Nothing is fetched by these words in a name: they say neither that a function is pure nor what it changes. */
const EMPTY_VERB = /^(get|process|handle|manage|do|perform)[A-Z]/;

const MAX_LINES = 300;
const MAX_TEST_LINES = 600;

/**
 * Checks size and shape of the code, as far as the linter has no rule for it: lines of a file, names of files, folders
 * and exported functions, `export *`, `enum`, exported arrow functions. Notes the median and the ninth decile.
 */
export function checkSizes(root: string): CheckReport {
  const files = listFiles(root).filter(isCode);
  const findings = files.flatMap((file) => checkCode(file, readText(root, file)));
  return { findings, notes: [describeSizes(root, files)] };
}

function checkCode(file: string, text: string): Finding[] {
  const findings: Finding[] = [];
  const lines = countLines(text);
  const limit = isTestFile(file) ? MAX_TEST_LINES : MAX_LINES;
  if (lines > limit) findings.push({ file, text: `has ${lines} lines, ${limit} are allowed` });
  const empty = file.split("/").find((part) => EMPTY_NAMES.has(part.replace(/\..*$/, "")));
  if (empty !== undefined) findings.push({ file, text: `"${empty}" names nothing of the field` });
  const tokens = parseTokens(text);
  tokens.forEach((token, at) => {
    const why = explainDeclaration(tokens, at);
    if (why !== undefined) findings.push({ file, line: token.line, text: why });
  });
  return findings;
}

function explainDeclaration(tokens: readonly Token[], at: number): string | undefined {
  const [before, token, next, third] = [tokens[at - 1], tokens[at], tokens[at + 1], tokens[at + 2]];
  if (token?.kind !== "word" || before?.text === ".") return undefined;
  if (token.text === "enum" && next?.kind === "word" && third?.text === "{") {
    return `an enum cannot be stripped; write a union of strings instead of ${next.text}`;
  }
  if (token.text !== "export") return undefined;
  if (next?.text === "*" || (next?.text === "type" && third?.text === "*")) {
    return "`export *` makes a barrel; import each thing where it is defined";
  }
  return explainFunction(tokens, at);
}

function explainFunction(tokens: readonly Token[], at: number): string | undefined {
  const start = tokens[at + 1]?.text === "async" ? at + 2 : at + 1;
  const name = tokens[start + 1]?.text ?? "";
  if (tokens[start]?.text === "function") {
    return EMPTY_VERB.test(name)
      ? `the verb of ${name} says nothing; say what it reads, decides or changes`
      : undefined;
  }
  if (tokens[start]?.text !== "const" || !isArrow(tokens, start + 2)) return undefined;
  return `write \`export function ${name}\` instead of an arrow function`;
}

/** Does the declaration that goes on at `start` (after its name) have an arrow function as its value? */
function isArrow(tokens: readonly Token[], start: number): boolean {
  const value = findValue(tokens, start);
  if (value === undefined) return false;
  const first = tokens[value]?.text === "async" ? value + 1 : value;
  if (tokens[first]?.text === "function") return true;
  if (tokens[first]?.kind === "word") return isArrowAt(tokens, first + 1);
  const open = tokens[first]?.text === "<" ? tokens.findIndex((token, at) => at > first && token.text === "(") : first;
  if (tokens[open]?.text !== "(") return false;
  const close = findClose(tokens, open);
  // After the parameters comes the arrow, or a colon, a type and the arrow.
  return isArrowAt(tokens, close + 1) || tokens[close + 1]?.text === ":";
}

/** Where the value begins: behind the first `=` that is neither part of an arrow in the type nor inside brackets. */
function findValue(tokens: readonly Token[], start: number): number | undefined {
  for (let at = start; at < tokens.length; at++) {
    const text = tokens[at]?.text ?? "";
    if ("([{".includes(text) && tokens[at]?.kind === "mark") at = findClose(tokens, at);
    else if (text === "=" && tokens[at + 1]?.text !== ">") return at + 1;
    else if (text === ";" || text === "export") return undefined;
  }
  return undefined;
}

function findClose(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    if (tokens[at]?.kind !== "mark") continue;
    if ("([{".includes(tokens[at]?.text ?? "")) depth += 1;
    if (")]}".includes(tokens[at]?.text ?? "")) depth -= 1;
    if (depth === 0) return at;
  }
  return tokens.length;
}

function isArrowAt(tokens: readonly Token[], at: number): boolean {
  return tokens[at]?.text === "=" && tokens[at + 1]?.text === ">";
}

function describeSizes(root: string, files: readonly string[]): string {
  const sizes = files.filter((file) => !isTestFile(file)).map((file) => countLines(readText(root, file)));
  const sorted = sizes.toSorted((a, b) => a - b);
  const [median, ninth, most] = [0.5, 0.9, 1].map((part) => sorted[Math.ceil(part * sorted.length) - 1] ?? 0);
  return `${sorted.length} source files: median ${median} lines (aim 80), p90 ${ninth} (aim 200), most ${most} (limit ${MAX_LINES})`;
}

function countLines(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}
