// SPDX-License-Identifier: Apache-2.0

import { createReadStream } from "node:fs";
import { open, rm, type FileHandle } from "node:fs/promises";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Page } from "@berth/core/protocol/api/answers";
import type { AdoptionItem, AgentItem, AuditItem, DoneAnswer } from "@berth/core/protocol/api/control-answers";
import type { AdoptionBody, CordonBody, EnrolmentBody } from "@berth/core/protocol/api/control-requests";
import { PAGE_DEFAULT } from "@berth/core/protocol/api/endpoint";
import { ENDPOINTS, type OperationName } from "@berth/core/protocol/api/endpoints";
import { BerthError } from "@berth/core/protocol/berth-error";
import { listAudit } from "../audit/audit-trail.ts";
import type { Caller } from "../claims/claim-book.ts";
import { isKeyText } from "../documents/keys.ts";
import { requireControl, type Control } from "./control.ts";
import { cursorMalformed, formatCursor, parseCursor } from "./page.ts";
import { callerOf, parseQuery, partsOf, requireBody, textOf } from "./request-parts.ts";
import { pageHandler, requireKnownHost, type Handler, type Served } from "./served.ts";

type HostOperationName =
  | "cordonHost"
  | "uncordonHost"
  | "fenceHost"
  | "forgetHost"
  | "adopt"
  | "disown"
  | "listAdoptions"
  | "createEnrolment"
  | "listAgents"
  | "revokeAgent";

/** One order: the control plane that runs it, the host of its path, its body, and who gave it. */
interface Order {
  readonly control: Control;
  readonly host: string;
  readonly body: unknown;
  readonly caller: Caller;
}

/** What steers hosts and their agents. */
export function makeHostHandlers(served: Served): Readonly<Record<HostOperationName, Handler>> {
  const { control } = served;
  const order = (name: OperationName, run: (order: Order) => Promise<unknown>): Handler => {
    return async (request) => {
      const running = requireControl(control);
      const endpoint = ENDPOINTS[name];
      parseQuery(endpoint, request.query);
      requireBody(endpoint, request.body);
      const host = partsOf(request)["host"] ?? "";
      return await run({ control: running, host, body: request.body ?? {}, caller: callerOf(endpoint, request) });
    };
  };
  return {
    cordonHost: order("cordonHost", (one) => one.control.orders.cordon(one.host, one.body as CordonBody, one.caller)),
    uncordonHost: order("uncordonHost", (one) => one.control.orders.uncordon(one.host, one.caller)),
    fenceHost: order("fenceHost", (one) => fenceHost(served, one)),
    forgetHost: order("forgetHost", (one) => one.control.orders.forget(one.host, one.caller)),
    adopt: order("adopt", (one) => one.control.orders.adopt(one.body as AdoptionBody, one.caller)),
    disown: order("disown", (one) => one.control.orders.disown(one.body as AdoptionBody, one.caller)),
    listAdoptions: pageHandler<AdoptionItem>(served, "listAdoptions", () => ({
      entries: () => control?.orders.listAdoptions() ?? [],
      keyOf: ({ host }) => [host],
    })),
    createEnrolment: order("createEnrolment", (one) =>
      one.control.agents.makeEnrolment(one.body as EnrolmentBody, one.caller),
    ),
    listAgents: pageHandler<AgentItem>(served, "listAgents", () => ({
      entries: () => control?.agents.listAgents() ?? [],
      keyOf: ({ host }) => [host],
    })),
    revokeAgent: order("revokeAgent", (one) => revokeAgent(served, one)),
  };
}

async function fenceHost(served: Served, { control, host, caller }: Order): Promise<DoneAnswer> {
  requireKnownHost(served, host, "host");
  const claims = await control.claims.fence(host, caller);
  return { generation: served.view.generation, host, changed: claims.length > 0, claims };
}

async function revokeAgent({ view }: Served, { control, host, caller }: Order): Promise<DoneAnswer> {
  const before = control.agents.findLife(host);
  await control.agents.revoke(host, caller);
  return { generation: view.generation, host, changed: before !== "revoked", claims: [] };
}

/** What tells of the past, and what keeps it. */
export function makeKeepingHandlers(served: Served): Readonly<Record<"listAudit" | "downloadBackup", Handler>> {
  let backups = 0;
  return {
    listAudit: (request) => answerAudit(served, request),
    downloadBackup: async (request, reply) => {
      parseQuery(ENDPOINTS.downloadBackup, request.query);
      const { backup } = requireControl(served.control);
      if (backup === undefined) {
        throw new BerthError("not_found", "The store of this server is backed up by its own tools", {
          expected: "a server with an embedded store",
        });
      }
      if (backups >= served.limits.backups) {
        throw new BerthError("too_many_streams", "A backup is on its way already", { expected: "one at a time" });
      }
      backups += 1;
      try {
        return await sendBackup(reply, await backup());
      } finally {
        backups -= 1;
      }
    },
  };
}

/** Sends a file that is gone from its directory before its first byte is sent: nothing is left, whatever happens. */
async function sendBackup(reply: FastifyReply, path: string): Promise<FastifyReply> {
  const file = await openAndRemove(path);
  const { size } = await file.stat();
  const stream = createReadStream(path, { fd: file, autoClose: true });
  // Read to its end, or given up by whoever asked.
  const sent = new Promise<void>((resolve) => stream.once("end", resolve).once("close", resolve));
  void reply.type("application/octet-stream").header("content-length", size);
  void reply.header("content-disposition", 'attachment; filename="berth-backup.db"').send(stream);
  await sent;
  return reply;
}

async function openAndRemove(path: string): Promise<FileHandle> {
  try {
    return await open(path);
  } finally {
    await rm(path, { force: true });
  }
}

async function answerAudit({ control, view }: Served, request: FastifyRequest): Promise<Page<AuditItem>> {
  const query = parseQuery(ENDPOINTS.listAudit, request.query);
  const day = textOf(query["day"]);
  const cursor = textOf(query["cursor"]);
  const list = `listAudit ${day ?? ""}`;
  const [after] = cursor === undefined ? [] : parseCursor(cursor, list);
  if (after !== undefined && !isKeyText(after)) throw cursorMalformed(cursor ?? "");
  if (control === undefined) return { generation: view.generation, items: [] };
  const { items, next } = await listAudit(control.replica.store, {
    limit: typeof query["limit"] === "number" ? query["limit"] : PAGE_DEFAULT,
    ...(day === undefined ? {} : { day }),
    ...(after === undefined ? {} : { after }),
  });
  return { generation: view.generation, items, ...(next === undefined ? {} : { next: formatCursor(list, [next]) }) };
}
