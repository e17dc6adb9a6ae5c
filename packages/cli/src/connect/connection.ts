// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import { BerthError } from "@berth/core/protocol/berth-error";
import { isLoopback } from "@berth/server/access/loopback";
import type { World } from "../world.ts";
import { adminTokenFile, findDataDirectory } from "./data-directory.ts";
import { checkToken, readTokenFile } from "./secret-file.ts";
import { findSetting, type Setting } from "./setting.ts";

/** What a command line says about the server. */
export interface ConnectionOptions {
  readonly server?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
}

/** How a server is reached, and as whom. */
export interface Connection {
  readonly url: URL;
  readonly token?: string;
  /** File with the certificates (PEM) of the authority that the server's must come from; absent: the system's. */
  readonly ca?: string;
}

export const DEFAULT_SERVER = "http://127.0.0.1:7411";

/** Where a token is: in the environment itself, or in a file. */
export type TokenSource =
  | { readonly kind: "variable"; readonly value: string; readonly origin: string }
  | { readonly kind: "file"; readonly path: string; readonly origin: string };

/** The server that is asked: the option, BERTH_SERVER, or this machine's own. Throws BerthError `usage_bad_value`. */
export function findServer(options: ConnectionOptions, { env }: Pick<World, "env">): Setting & { readonly url: URL } {
  const said = findSetting({ option: "--server", value: options.server }, "BERTH_SERVER", env);
  const setting = said ?? { value: DEFAULT_SERVER, origin: "default" };
  return { ...setting, url: parseServerUrl(setting) };
}

/**
 * Where the token is. The administrator's file of this machine's own data directory is taken only where no server was
 * named, and never sent elsewhere.
 */
export function findTokenSource(options: ConnectionOptions, world: World): TokenSource | undefined {
  const { env } = world;
  if (options.tokenFile !== undefined) return { kind: "file", path: options.tokenFile, origin: "--token-file" };
  const value = env["BERTH_TOKEN"];
  if (value !== undefined && value !== "") return { kind: "variable", value, origin: "BERTH_TOKEN" };
  const file = env["BERTH_TOKEN_FILE"];
  if (file !== undefined && file !== "") return { kind: "file", path: file, origin: "BERTH_TOKEN_FILE" };
  if (findServer(options, world).origin !== "default") return undefined;
  const directory = findDataDirectory(world);
  const path = adminTokenFile(directory.value);
  return existsSync(path) ? { kind: "file", path, origin: `data directory (${directory.origin})` } : undefined;
}

/** The certificates that are trusted: the option or BERTH_CA; undefined: those of the system. */
export function findCa(options: ConnectionOptions, { env }: Pick<World, "env">): Setting | undefined {
  return findSetting({ option: "--ca", value: options.ca }, "BERTH_CA", env);
}

/**
 * How the server is reached. Throws BerthError `usage_bad_value`, also where a token would travel in the clear to another
 * machine, `token_unsafe`, or the code of a file that cannot be read.
 */
export function findConnection(options: ConnectionOptions, world: World): Connection {
  const { url, origin } = findServer(options, world);
  const source = findTokenSource(options, world);
  const ca = findCa(options, world);
  if (source !== undefined && url.protocol === "http:" && !isLoopback(url.hostname)) {
    throw new BerthError("usage_bad_value", `A token would travel to ${url.host} in the clear`, {
      place: placeOf(origin),
      expected: "an https:// URL, or a server of this machine",
    });
  }
  const token = source === undefined ? undefined : readToken(source);
  return { url, ...(token === undefined ? {} : { token }), ...(ca === undefined ? {} : { ca: ca.value }) };
}

/** Reads the token. Throws BerthError. */
export function readToken(source: TokenSource): string {
  return source.kind === "file" ? readTokenFile(source.path) : checkToken(source.value, source.origin);
}

function parseServerUrl({ value, origin }: Setting): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isPlain =
    url !== undefined && url.search === "" && url.hash === "" && url.username === "" && url.password === "";
  if (isPlain && (url.protocol === "http:" || url.protocol === "https:")) return url;
  throw new BerthError("usage_bad_value", `Cannot read ${placeOf(origin)} ${JSON.stringify(value.slice(0, 80))}`, {
    place: placeOf(origin),
    expected: `a URL such as ${DEFAULT_SERVER}`,
  });
}

function placeOf(origin: string): string {
  return origin === "default" ? "--server" : origin;
}
