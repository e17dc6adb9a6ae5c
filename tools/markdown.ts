// SPDX-License-Identifier: Apache-2.0

/** A link of a document. */
export interface Link {
  /** As written, title left out: `docs/errors.md#codes`, `#codes`, `https://...`. */
  readonly target: string;
  /** Counted from 1. */
  readonly line: number;
}

/** Inline links and images, one level of brackets inside the text; a target may stand in angle brackets. */
const INLINE = /\]\(\s*(?:<([^>]*)>|((?:[^\s()]|\([^\s()]*\))+))(?:\s+(?:"[^"]*"|'[^']*'))?\s*\)/g;
/** `[name]: target`, where the name of a footnote is none. */
const DEFINITION = /^ {0,3}\[(?!\^)[^\]]+\]:\s*(?:<([^>]*)>|(\S+))/g;
const HTML = /<(?:a|img|source)\b[^>]*?\b(?:href|src|srcset)\s*=\s*(?:"([^"]*)"|'([^']*)')/gi;

/** Finds the links of a Markdown text; code is left out. */
export function findLinks(text: string): Link[] {
  return blankCode(text).flatMap((content, index) =>
    [INLINE, DEFINITION, HTML].flatMap((pattern) =>
      [...content.matchAll(pattern)].map((found) => ({ target: found[1] ?? found[2] ?? "", line: index + 1 })),
    ),
  );
}

/** Finds the anchors of a Markdown text: its headings as GitHub names them, and every HTML id or name. */
export function findAnchors(text: string): Set<string> {
  const anchors = new Set<string>();
  const seen = new Map<string, number>();
  const lines = blankFences(text);
  lines.forEach((content, index) => {
    for (const found of content.matchAll(/<[a-z][^>]*?\b(?:id|name)\s*=\s*["']([^"']+)["']/gi))
      anchors.add(found[1] ?? "");
    const heading = headingAt(lines, index);
    if (heading === undefined) return;
    const slug = formatSlug(heading);
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    anchors.add(times === 0 ? slug : `${slug}-${times}`);
  });
  return anchors;
}

/** Finds each `code` that has a heading or the first cell of a table row to itself, with its line. */
export function findDefinedCodes(text: string): Map<string, number> {
  const codes = new Map<string, number>();
  blankFences(text).forEach((content, index) => {
    const found = /^(?:#{1,6}\s+|\|\s*)(?:<a [^>]*><\/a>\s*)?`([A-Za-z][\w.-]*)`\s*(?:\||#*\s*$)/.exec(content);
    if (found?.[1] !== undefined && !codes.has(found[1])) codes.set(found[1], index + 1);
  });
  return codes;
}

/** The name that GitHub gives to a heading: lower case, punctuation dropped, spaces as hyphens. */
export function formatSlug(heading: string): string {
  const plain = heading
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/<[^>]+>/g, "")
    .replace(/[`*]/g, "");
  return plain
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}\p{Pc} -]/gu, "")
    .replace(/ /g, "-");
}

function headingAt(lines: readonly string[], index: number): string | undefined {
  const content = lines[index] ?? "";
  const hashes = /^ {0,3}#{1,6}\s+(.*?)(?:\s+#+)?\s*$/.exec(content);
  if (hashes !== null) return hashes[1];
  const isUnderlined = /^ {0,3}(=+|-+)\s*$/.test(lines[index + 1] ?? "");
  return isUnderlined && /^ {0,3}[^\s|>#*-]/.test(content) ? content : undefined;
}

/** The lines of a text, those of fenced code blocks emptied. */
function blankFences(text: string): string[] {
  let fence: string | undefined;
  return text.split("\n").map((content) => {
    const mark = /^\s*(`{3,}|~{3,})/.exec(content)?.[1];
    if (fence === undefined && mark !== undefined) {
      fence = mark;
      return "";
    }
    if (fence === undefined) return content;
    if (mark !== undefined && mark.startsWith(fence) && content.trim() === mark) fence = undefined;
    return "";
  });
}

function blankCode(text: string): string[] {
  return blankFences(text).map((content) => content.replace(/(`+)(?!`).*?(?<!`)\1(?!`)/g, "``"));
}
