// SPDX-License-Identifier: Apache-2.0

import { parseTokens } from "./tokens.ts";
import type { Token } from "./tokens.ts";

/** A place where one module names another: a static, type-only or dynamic import, a re-export, a `require`. */
export interface ImportSite {
  /** What stands between the quotes; absent where it is computed. */
  readonly specifier?: string;
  /** Counted from 1. */
  readonly line: number;
}

/** Finds every import of a module's text, in the order of the text. */
export function findImports(text: string): ImportSite[] {
  const tokens = parseTokens(text);
  const sites: ImportSite[] = [];
  tokens.forEach((token, at) => {
    if (token.kind !== "word" || isMark(tokens[at - 1], ".") || isMark(tokens[at + 1], ":")) return;
    if (token.text === "import") sites.push(...findImport(tokens, at));
    if (token.text === "export") sites.push(...findReExport(tokens, at));
    if (token.text === "require" && isMark(tokens[at + 1], "(")) sites.push(findCall(tokens, at));
  });
  sites.push(...findReferences(text));
  return sites.toSorted((a, b) => a.line - b.line);
}

function findImport(tokens: readonly Token[], at: number): ImportSite[] {
  const next = tokens[at + 1];
  if (next === undefined) return [];
  if (next.kind === "string") return [siteOf(next)];
  if (isMark(next, "(")) return [findCall(tokens, at)];
  if (isMark(next, ".")) return findResolve(tokens, at);
  return findFrom(tokens, at + 1);
}

/** `import.meta.resolve("x")` names a module too; other uses of `import.meta` do not. */
function findResolve(tokens: readonly Token[], at: number): ImportSite[] {
  const isResolve = tokens[at + 2]?.text === "meta" && tokens[at + 4]?.text === "resolve";
  return isResolve && isMark(tokens[at + 5], "(") ? [findCall(tokens, at + 4)] : [];
}

function findReExport(tokens: readonly Token[], at: number): ImportSite[] {
  const start = tokens[at + 1]?.text === "type" ? at + 2 : at + 1;
  if (isMark(tokens[start], "*")) return findFrom(tokens, start);
  if (!isMark(tokens[start], "{")) return [];
  const end = tokens.findIndex((token, index) => index > start && isMark(token, "}"));
  return end >= 0 && isFrom(tokens, end + 1) ? findFrom(tokens, end + 1) : [];
}

/** The string after the next `from`; a name `from` between the braces is not followed by a string. */
function findFrom(tokens: readonly Token[], start: number): ImportSite[] {
  for (let at = start; at < tokens.length && !isMark(tokens[at], ";"); at++) {
    const target = tokens[at + 1];
    if (isFrom(tokens, at) && target !== undefined) return [siteOf(target)];
    // `import x = require("y")` is found at its `require`.
    if (isMark(tokens[at], "=")) return [];
  }
  return [];
}

function isFrom(tokens: readonly Token[], at: number): boolean {
  return tokens[at]?.text === "from" && tokens[at]?.kind === "word" && tokens[at + 1]?.kind === "string";
}

function findCall(tokens: readonly Token[], at: number): ImportSite {
  const target = tokens[at + 2];
  const end = tokens[at + 3];
  const line = tokens[at]?.line ?? 1;
  const isWhole = isMark(end, ")") || isMark(end, ",");
  if (target === undefined || !isWhole) return { line };
  if (target.kind === "string") return siteOf(target);
  const isPlain = target.kind === "template" && target.text.endsWith("`");
  return isPlain ? { specifier: target.text.slice(1, -1), line } : { line };
}

/** `/// <reference types="x" />` is a comment that imports. */
function findReferences(text: string): ImportSite[] {
  const lines = text.split("\n");
  return lines.flatMap((content, index) => {
    const found = /^\s*\/\/\/\s*<reference\s+(?:types|path)\s*=\s*["']([^"']+)["']/.exec(content);
    return found?.[1] === undefined ? [] : [{ specifier: found[1], line: index + 1 }];
  });
}

function siteOf(token: Token): ImportSite {
  return { specifier: token.text, line: token.line };
}

function isMark(token: Token | undefined, text: string): boolean {
  return token?.kind === "mark" && token.text === text;
}
