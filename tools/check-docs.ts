// SPDX-License-Identifier: Apache-2.0

import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import type { CheckReport, Finding } from "./finding.ts";
import { findAnchors, findLinks } from "./markdown.ts";
import { listFiles, readText } from "./repository-files.ts";

const SPDX = "SPDX-License-Identifier: Apache-2.0";

/** Places of one person's machine, which mean nothing in a checkout. (A class of one letter keeps a pattern from itself.) */
const FOREIGN: readonly (readonly [RegExp, string])[] = [
  [/(?<![\w.])\/[w]ork\//, "names a folder of somebody's machine"],
  [/\.\.\/[s]hared\b/, "names a folder outside the repository"],
  [/\/tmp\/[c]ap\b/, "names a folder of somebody's machine"],
  [/registry\.[n]pmjs/, "names the host of a package registry"],
  [/\bdeb\.[d]ebian\.org/, "names the host of a package archive"],
  [/\b[h]elper session\b/i, "speaks of how the work was organised"],
  [/\b[i]ssue #?\d+\b/i, "names an issue by number; say what is meant"],
  [/\b(?:AI|LLM)-[g]enerated\b/i, "speaks of how the text was written"],
];

/**
 * Checks the documents and the texts: relative links and anchors of Markdown resolve, every source says its licence in
 * its first lines, and no text names a place outside the repository. Captured trees and vectors (`fixtures/`) are data.
 */
export function checkDocs(root: string): CheckReport {
  const files = listFiles(root);
  const findings = files.flatMap((file) => {
    if (isData(file)) return [];
    const text = readPlainText(root, file);
    if (text === undefined) return [];
    return [...checkLicence(file, text), ...checkForeign(file, text), ...checkLinks(root, file, text)];
  });
  return { findings, notes: [] };
}

function isData(file: string): boolean {
  return file.startsWith("fixtures/") && !file.endsWith(".md");
}

/** The text of a file, or undefined where it holds bytes that no text holds. */
function readPlainText(root: string, file: string): string | undefined {
  const bytes = readFileSync(join(root, file));
  return bytes.includes(0) ? undefined : bytes.toString("utf8");
}

function checkLicence(file: string, text: string): Finding[] {
  const isSource = /\.(ts|sh)$/.test(file) || text.startsWith("#!");
  if (!isSource) return [];
  const lines = text.split("\n");
  const first = lines[0]?.startsWith("#!") === true ? lines[1] : lines[0];
  if (first === `// ${SPDX}` || first === `# ${SPDX}`) return [];
  return [{ file, line: 1, text: `the first line of a source is \`// ${SPDX}\`` }];
}

function checkForeign(file: string, text: string): Finding[] {
  return text.split("\n").flatMap((content, index) =>
    FOREIGN.flatMap(([pattern, why]) => {
      const found = pattern.exec(content);
      return found === null ? [] : [{ file, line: index + 1, text: `"${found[0]}" ${why}` }];
    }),
  );
}

function checkLinks(root: string, file: string, text: string): Finding[] {
  if (!file.endsWith(".md")) return [];
  return findLinks(text).flatMap(({ target, line }) => {
    const why = explainLink({ root, file, text }, target);
    return why === undefined ? [] : [{ file, line, text: `the link ${target} ${why}` }];
  });
}

interface Document {
  readonly root: string;
  readonly file: string;
  readonly text: string;
}

function explainLink(document: Document, target: string): string | undefined {
  if (/^[a-z][a-z\d+.-]*:/i.test(target)) return undefined;
  if (target.startsWith("/")) return "is absolute; write it relative to the document";
  const [path = "", anchor = ""] = decodeLink(target).split("#", 2);
  const file = path === "" ? document.file : posix.join(posix.dirname(document.file), path.replace(/\?.*$/, ""));
  if (file === ".." || file.startsWith("../")) return "leads out of the repository";
  if (!existsSync(join(document.root, file))) return "leads nowhere";
  if (anchor === "" || !file.endsWith(".md")) return undefined;
  const text = path === "" ? document.text : readText(document.root, file);
  return findAnchors(text).has(anchor) ? undefined : `leads to no heading of ${file}`;
}

function decodeLink(target: string): string {
  try {
    return decodeURIComponent(target);
  } catch {
    return target;
  }
}
