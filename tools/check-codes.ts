// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { CheckReport, Finding } from "./finding.ts";
import { findDefinedCodes } from "./markdown.ts";
import { isTestFile, listFiles, readText } from "./repository-files.ts";
import { parseTokens } from "./tokens.ts";
import type { Token } from "./tokens.ts";

const ERROR_CODES = "packages/core/src/protocol/error-codes.ts";
const ERRORS = "docs/errors.md";
const RULES = "packages/core/src/compatibility/";
const COMPATIBILITY = "docs/compatibility.md";

/**
 * Checks that documents explain the codes that people meet: docs/errors.md exactly the error codes, each in a heading or
 * in the first cell of a table row; docs/compatibility.md every code of a reason, anywhere.
 */
export async function checkCodes(root: string): Promise<CheckReport> {
  const errors = await checkErrors(root);
  return { findings: [...errors.findings, ...checkReasons(root)], notes: errors.notes };
}

async function checkErrors(root: string): Promise<CheckReport> {
  if (!existsSync(join(root, ERROR_CODES))) {
    return { findings: [], notes: [`NOT CHECKED: error codes, because ${ERROR_CODES} does not exist`] };
  }
  const module: unknown = await import(pathToFileURL(join(root, ERROR_CODES)).href);
  const codes = keysOf(module, "ERROR_CODES");
  if (codes.length === 0)
    return { findings: [{ file: ERROR_CODES, text: "exports no ERROR_CODES keyed by code" }], notes: [] };
  if (!existsSync(join(root, ERRORS))) return { findings: [{ file: ERRORS, text: "does not exist" }], notes: [] };
  const defined = findDefinedCodes(readText(root, ERRORS));
  const missing = codes
    .filter((code) => !defined.has(code))
    .map((code) => ({ file: ERRORS, text: `does not explain ${code}` }));
  const unknown = [...defined].filter(([code]) => !codes.includes(code));
  const extra = unknown.map(([code, line]) => ({
    file: ERRORS,
    line,
    text: `explains ${code}, which is no error code`,
  }));
  return { findings: [...missing, ...extra], notes: [] };
}

function keysOf(module: unknown, name: string): string[] {
  if (typeof module !== "object" || module === null) return [];
  const value: unknown = Object.entries(module).find(([key]) => key === name)?.[1];
  return typeof value === "object" && value !== null ? Object.keys(value) : [];
}

function checkReasons(root: string): Finding[] {
  const files = listFiles(root).filter((file) => file.startsWith(RULES) && file.endsWith(".ts") && !isTestFile(file));
  const sites = files.flatMap((file) => findCodes(readText(root, file)).map((site) => ({ file, ...site })));
  if (sites.length === 0) return [];
  if (!existsSync(join(root, COMPATIBILITY))) return [{ file: COMPATIBILITY, text: "does not exist" }];
  const words = new Set(readText(root, COMPATIBILITY).match(/[A-Za-z]\w*/g));
  const unnamed = sites.filter(({ code }) => !words.has(code));
  return unnamed.map(({ file, line, code }) => ({ file, line, text: `${COMPATIBILITY} does not name ${code}` }));
}

/** The strings that a property or parameter `code` may have: `code: "a"`, `code: late ? "a" : "b"`. */
export function findCodes(text: string): { readonly code: string; readonly line: number }[] {
  const tokens = parseTokens(text);
  return tokens.flatMap((token, at) => {
    const isKey = token.kind === "word" && token.text === "code" && tokens[at + 1]?.text === ":";
    return isKey ? findStrings(tokens, at + 2) : [];
  });
}

function findStrings(tokens: readonly Token[], start: number): { code: string; line: number }[] {
  const codes: { code: string; line: number }[] = [];
  for (let at = start, depth = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (token?.kind === "mark" && "([{".includes(token.text)) depth += 1;
    if (token?.kind === "mark" && ")]}".includes(token.text)) depth -= 1;
    if (depth < 0 || (depth === 0 && (token?.text === "," || token?.text === ";"))) break;
    // What is compared or passed on is not the code itself.
    const isCompared = tokens[at - 1]?.text === "=" || tokens[at + 1]?.text === "=";
    const isName = token?.kind === "string" && /^[a-z]\w*$/.test(token.text);
    if (isName && depth === 0 && !isCompared) codes.push({ code: token.text, line: token.line });
  }
  return codes;
}
