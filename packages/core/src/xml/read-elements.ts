// SPDX-License-Identifier: Apache-2.0

/** Most characters of a text that is looked at. A domain of libvirt has a few ten thousand. */
export const MAX_XML = 1_048_576;

const MAX_DEPTH = 128;
const MAX_ATTRIBUTES = 256;

/** An element while it is open. */
export interface OpenElement {
  /** With its prefix, as it is written. */
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/** What is told of a text, in its order. `stack` holds the open elements, the outermost first, the one spoken of last. */
export interface ElementVisitor {
  readonly open: (stack: readonly OpenElement[]) => void;
  /** Character data directly inside the innermost open element. */
  readonly text: (text: string, stack: readonly OpenElement[]) => void;
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["quot", '"'],
  ["apos", "'"],
]);

/**
 * Walks through the elements of an XML text. It knows elements, attributes, text, comments, CDATA, processing
 * instructions, the five entities and character references; a document type is refused. What was told before the end of
 * the walk stands. Answers why the text could not be read to its end, or undefined. Never throws.
 */
export function readElements(xml: string, visitor: ElementVisitor): string | undefined {
  if (xml.length > MAX_XML) return `the text is longer than ${MAX_XML} characters`;
  try {
    walk({ xml, at: 0, stack: [], hasRoot: false }, visitor);
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}

interface Cursor {
  readonly xml: string;
  at: number;
  readonly stack: OpenElement[];
  hasRoot: boolean;
}

function walk(cursor: Cursor, visitor: ElementVisitor): void {
  while (cursor.at < cursor.xml.length) {
    const next = cursor.xml.indexOf("<", cursor.at);
    const end = next < 0 ? cursor.xml.length : next;
    tellText(cursor, visitor, decode(cursor.xml.slice(cursor.at, end)));
    cursor.at = end;
    if (next < 0) break;
    readMarkup(cursor, visitor);
  }
  const open = cursor.stack.at(-1);
  if (open !== undefined) throw new SyntaxError(`the text ends inside <${shorten(open.name)}>`);
  if (!cursor.hasRoot) throw new SyntaxError("the text holds no element");
}

function tellText(cursor: Cursor, visitor: ElementVisitor, text: string): void {
  if (text === "") return;
  if (cursor.stack.length > 0) visitor.text(text, cursor.stack);
  else if (/[^\s\ufeff]/.test(text)) throw new SyntaxError("there is text outside of the root element");
}

function readMarkup(cursor: Cursor, visitor: ElementVisitor): void {
  const { xml, at } = cursor;
  if (xml.startsWith("<!--", at)) {
    skipTo(cursor, "-->", 4);
  } else if (xml.startsWith("<![CDATA[", at)) {
    skipTo(cursor, "]]>", 9);
    tellText(cursor, visitor, xml.slice(at + 9, cursor.at - 3));
  } else if (xml.startsWith("<?", at)) {
    skipTo(cursor, "?>", 2);
  } else if (xml.startsWith("<!", at)) {
    throw new SyntaxError("a document type is not read");
  } else if (xml.startsWith("</", at)) {
    closeElement(cursor);
  } else {
    openElement(cursor, visitor);
  }
}

function skipTo(cursor: Cursor, mark: string, from: number): void {
  const end = cursor.xml.indexOf(mark, cursor.at + from);
  if (end < 0) throw new SyntaxError(`${mark} is missing`);
  cursor.at = end + mark.length;
}

const CLOSING = /<\/([^\s/>=<"'&]{1,256})\s*>/y;
const OPENING = /<([^\s/>=<"'&!?]{1,256})/y;
const ATTRIBUTE = /\s+([^\s/>=<"'&]{1,256})\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
const END_OF_TAG = /\s*(\/?)>/y;

function closeElement(cursor: Cursor): void {
  const name = match(CLOSING, cursor)?.[1];
  const open = cursor.stack.pop();
  if (name === undefined || open?.name !== name) {
    throw new SyntaxError(`an end tag does not fit${open === undefined ? "" : ` <${shorten(open.name)}>`}`);
  }
}

function openElement(cursor: Cursor, visitor: ElementVisitor): void {
  const name = match(OPENING, cursor)?.[1];
  if (name === undefined) throw new SyntaxError(`no name follows "<" at character ${cursor.at}`);
  if (cursor.stack.length === 0 && cursor.hasRoot) throw new SyntaxError("there is a second root element");
  if (cursor.stack.length >= MAX_DEPTH) throw new SyntaxError(`elements are nested deeper than ${MAX_DEPTH}`);
  const attributes = new Map<string, string>();
  for (let found = match(ATTRIBUTE, cursor); found !== undefined; found = match(ATTRIBUTE, cursor)) {
    const [, key = "", double, single] = found;
    if (attributes.has(key)) throw new SyntaxError(`<${shorten(name)}> has attribute ${shorten(key)} twice`);
    if (attributes.size >= MAX_ATTRIBUTES) throw new SyntaxError(`<${shorten(name)}> has too many attributes`);
    attributes.set(key, decode(double ?? single ?? ""));
  }
  const end = match(END_OF_TAG, cursor);
  if (end === undefined) throw new SyntaxError(`the tag <${shorten(name)}> does not end`);
  cursor.hasRoot = true;
  cursor.stack.push({ name, attributes });
  visitor.open(cursor.stack);
  if (end[1] === "/") cursor.stack.pop();
}

/** What a sticky pattern finds where the cursor stands, which then moves behind it. */
function match(pattern: RegExp, cursor: Cursor): RegExpExecArray | undefined {
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.xml);
  if (found === null) return undefined;
  cursor.at = pattern.lastIndex;
  return found;
}

function decode(raw: string): string {
  if (!raw.includes("&")) return raw;
  return raw.replace(/&([^;&]{0,32});?/g, (whole, name: string) => {
    const value = whole.endsWith(";") ? (ENTITIES.get(name) ?? decodeNumber(name)) : undefined;
    if (value === undefined) throw new SyntaxError(`${shorten(whole)} is none of the five entities`);
    return value;
  });
}

function decodeNumber(name: string): string | undefined {
  const digits = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name);
  if (digits === null) return undefined;
  const code = digits[1] === undefined ? Number(digits[2]) : Number.parseInt(digits[1], 16);
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
