// SPDX-License-Identifier: Apache-2.0

/** One member to write. Nothing is checked: tests write hostile archives with it. */
export interface TarItem {
  readonly path: string;
  /** Type flag: `0` file, `1` hard link, `2` link, `5` directory, `6` FIFO, `L`, `K`, `x`, `g`. */
  readonly flag: string;
  readonly content?: string | Uint8Array;
  readonly target?: string;
  readonly mode?: number;
  /** Size field where it is to differ from the content. */
  readonly size?: number;
}

const BLOCK = 512;

/** Writes a ustar archive with its end mark. Names longer than a header takes need an `L`, `K` or `x` item before. */
export function writeTar(items: readonly TarItem[]): Uint8Array {
  const blocks = items.flatMap((item) => {
    const body = Buffer.from(item.content ?? "");
    return [writeHeader(item, item.size ?? body.length), body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

/** Writes pax records, the length of each counting itself. */
export function writePax(records: Readonly<Record<string, string>>): string {
  return Object.entries(records)
    .map(([key, value]) => {
      const rest = Buffer.byteLength(` ${key}=${value}\n`);
      const digits = [1, 2, 3, 4, 5].find((count) => String(rest + count).length === count) ?? 1;
      return `${rest + digits} ${key}=${value}\n`;
    })
    .join("");
}

function writeHeader(item: TarItem, size: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(item.path.slice(0, 100), 0, 100);
  header.write(`${(item.mode ?? 0o644).toString(8).padStart(7, "0")}\0`, 100);
  header.write("0000000\0".repeat(2), 108);
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  header.write(`${"0".repeat(11)}\0        ${item.flag}`, 136);
  header.write((item.target ?? "").slice(0, 100), 157, 100);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}
