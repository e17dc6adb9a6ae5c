// SPDX-License-Identifier: Apache-2.0

import type { Hands } from "./effects.ts";
import { formatRecord, parseJournal } from "./journal.ts";
import type { Journal } from "./journal.ts";

/** Thrown where a test lets the agent die. */
export class Crash extends Error {}

/** Counts the instants at which an agent can die: before and after every write, command and journal record. */
export interface Doom {
  /** Instants still to be lived through; Infinity: none is the last. */
  left: number;
}

/** Hands that die when their time is up. What they did before is done. */
export function doomHands(hands: Hands, doom: Doom): Hands {
  return {
    ...hands,
    writer: { write: (path, text) => live(doom, () => hands.writer.write(path, text)) },
    runner: {
      run: async (command) => {
        pass(doom);
        const ran = await hands.runner.run(command);
        pass(doom);
        return ran;
      },
    },
  };
}

/** A disk that outlives its agents: the text of a journal. */
export interface Disk {
  text: string;
}

/** Opens the journal on a disk as an agent does after its start; dying in the middle of a record tears it. */
export function openDoomedJournal(disk: Disk, doom: Doom): Journal {
  const { records, length } = parseJournal(disk.text);
  disk.text = disk.text.slice(0, length);
  const known = [...records];
  return {
    records: known,
    append: (record) => {
      const line = formatRecord(record);
      pass(doom);
      disk.text += line.slice(0, line.length / 2);
      pass(doom);
      disk.text += line.slice(line.length / 2);
      known.push(record);
      pass(doom);
      return { kind: "written" };
    },
  };
}

function live<T>(doom: Doom, act: () => T): T {
  pass(doom);
  const result = act();
  pass(doom);
  return result;
}

function pass(doom: Doom): void {
  if (doom.left <= 0) throw new Crash("the agent dies here");
  doom.left -= 1;
}
