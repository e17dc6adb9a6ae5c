// SPDX-License-Identifier: Apache-2.0

import { parentPort, workerData } from "node:worker_threads";

import { writeBackup } from "./backup.ts";
import { openForReading, openForWriting } from "./database-file.ts";
import { lockDirectory, storeFile } from "./data-directory.ts";
import { CommitInDoubt, GroupWriter } from "./group-writer.ts";
import { LogReader } from "./log-reader.ts";
import { explainStoreError, formatWireError } from "./sqlite-error.ts";
import type { Asked, Questions, Ready, WorkerStart } from "./worker-messages.ts";

// The threads of the embedded store: one writes and waits for the disk, one reads meanwhile, one copies when asked.

type Replies = { readonly [Name in keyof Questions]?: (ask: Questions[Name]["ask"]) => Questions[Name]["answer"] };

interface Opened {
  readonly ready: Ready;
  readonly replies: Replies;
}

function openWriter(directory: string, newEpoch: string): Opened {
  const lock = lockDirectory(directory);
  try {
    const database = openForWriting(storeFile(directory), newEpoch);
    const writer = new GroupWriter(database);
    writer.removeLeased();
    const close = (): null => {
      database.close();
      lock.release();
      return null;
    };
    const ready = { epoch: new LogReader(database).epoch, revision: writer.revision };
    return { ready, replies: { commit: (items) => writer.commit(items), close } };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function openReader(directory: string): Opened {
  const database = openForReading(storeFile(directory));
  const reader = new LogReader(database);
  const close = (): null => {
    database.close();
    return null;
  };
  return {
    ready: { epoch: reader.epoch, revision: reader.revision },
    replies: {
      read: (request) => reader.read(request),
      log: ({ after, prefix }) => reader.readLog(after, prefix),
      close,
    },
  };
}

function writeCopy(directory: string, target: string): Opened {
  return { ready: writeBackup(storeFile(directory), target), replies: { close: () => null } };
}

function open(start: WorkerStart): Opened {
  switch (start.role) {
    case "writer":
      return openWriter(start.directory, start.newEpoch);
    case "reader":
      return openReader(start.directory);
    case "copier":
      return writeCopy(start.directory, start.target);
  }
}

function serve(start: WorkerStart): void {
  const { directory } = start;
  let opened: Opened;
  try {
    opened = open(start);
  } catch (error) {
    return send({ kind: "error", id: 0, error: formatWireError(explainStoreError(error, directory)) });
  }
  parentPort?.on("message", ({ id, name, ask }: Asked) => {
    try {
      const reply = opened.replies[name] as ((ask: unknown) => unknown) | undefined;
      if (reply === undefined) throw new Error(`The ${start.role} of the store cannot answer ${name}`);
      send({ kind: "answer", id, answer: reply(ask) });
    } catch (error) {
      send({ kind: "error", id, error: formatWireError(explainStoreError(error, directory)) });
      // What the disk holds now is known only after reading it anew: no later commit may build on it.
      if (error instanceof CommitInDoubt) parentPort?.close();
    }
    if (name === "close") parentPort?.close();
  });
  send({ kind: "answer", id: 0, answer: opened.ready });
}

function send(message: unknown): void {
  parentPort?.postMessage(message);
}

serve(workerData as WorkerStart);
