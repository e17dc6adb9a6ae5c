// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import { KEY_HEADER, type Endpoint } from "@berth/core/protocol/api/endpoint";
import { OPERATIONS } from "@berth/core/protocol/api/endpoints";
import { ERROR_CODES } from "@berth/core/protocol/error-codes";

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; font-size: 1.1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: 0.9em; }
pre { overflow-x: auto; padding: 0.75rem; border: 1px solid #8886; border-radius: 4px; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 1rem 0.25rem 0; border-bottom: 1px solid #8884; }
`;

/** What the page's own style is allowed by: nothing else may be loaded or run. */
export const PAGE_POLICY: string = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** The API as one page that loads nothing else. */
export function formatApiPage(version: string): string {
  const sections = OPERATIONS.map(([name, endpoint]) => formatSection(name, endpoint));
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Berth API v1</title>
<style>${STYLE}</style></head>
<body>
<h1>Berth API v1</h1>
<p>Version ${escape(version)}. For programs: <a href="/openapi.json">/openapi.json</a>. Every answer names the generation of the
inventory that it rests on. Numbers without a limit are <code>null</code>.</p>
${sections.join("\n")}
<h2 id="errors">Errors</h2>
<p>Every error has the shape <code>{"code", "message", "place", "expected", "details"}</code>.</p>
${formatTable(
  ["Code", "Status", "Meaning"],
  Object.entries(ERROR_CODES).map(([code, { httpStatus, meaning }]) => [code, String(httpStatus), meaning]),
)}
</body>
</html>
`;
}

function formatSection(name: string, endpoint: Endpoint): string {
  const { method, path, summary, role, query = {}, body, errors = [], takesKey } = endpoint;
  const inQuery = Object.entries(query).map(([part, { description }]) => [part, description]);
  const key = [`${KEY_HEADER} (header)`, "the same request with the same key is carried out once"];
  const parameters = takesKey === true ? [...inQuery, key] : inQuery;
  const told = errors.toSorted().map((code) => [code, String(ERROR_CODES[code].httpStatus), ERROR_CODES[code].meaning]);
  return `<h2 id="${name}">${method} <code>${escape(path)}</code></h2>
<p>${escape(summary)}. ${AUDIENCE[role]}. Answers <code>${escape(describeAnswer(endpoint))}</code>.</p>
${parameters.length === 0 ? "" : formatTable(["Parameter", "Meaning"], parameters)}
${body === undefined ? "" : `<pre>${escape(JSON.stringify(body, undefined, 2))}</pre>`}
${told.length === 0 ? "" : formatTable(["Error", "Status", "Meaning"], told)}`;
}

const AUDIENCE: Readonly<Record<Endpoint["role"], string>> = {
  viewer: "For the role viewer",
  operator: "For the role operator",
  admin: "For the role admin",
  agent: "For agents",
  anyone: "For anyone",
};

function describeAnswer({ answer }: Endpoint): string {
  if (answer.kind === "text") return answer.type;
  if (answer.kind === "bytes") return "application/octet-stream";
  if (answer.kind === "events") return `${answer.schema} (events)`;
  return answer.also === undefined ? answer.schema : `${answer.schema} or ${answer.also}`;
}

function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, row: readonly string[]): string =>
    `<tr>${row.map((text) => `<${tag}>${escape(text)}</${tag}>`).join("")}</tr>`;
  return `<table>${cells("th", head)}${rows.map((row) => cells("td", row)).join("\n")}</table>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
