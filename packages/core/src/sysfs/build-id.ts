// SPDX-License-Identifier: Apache-2.0

/** NT_GNU_BUILD_ID (include/uapi/linux/elf.h). */
const BUILD_ID_TYPE = 3;
const HEADER_BYTES = 12;
/** Longest build-id that is taken for one: SHA-512. The kernel's own limit is 20. */
const BUILD_ID_MAX = 64;

/**
 * Reads the GNU build-id out of ELF notes, as in `/sys/module/<name>/notes/.note.gnu.build-id` and `/sys/kernel/notes`:
 * lower-case hexadecimal, two digits a byte. Other notes before it are passed over.
 * Without `endian` the byte order is taken from the first name's length. Throws SyntaxError where there is none.
 */
export function parseBuildIdNote(bytes: Uint8Array, endian?: "little" | "big"): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLittle = (endian ?? detectByteOrder(view)) === "little";
  for (let at = 0; at + HEADER_BYTES <= bytes.length;) {
    const nameSize = view.getUint32(at, isLittle);
    const descSize = view.getUint32(at + 4, isLittle);
    const descAt = at + HEADER_BYTES + roundUp(nameSize);
    if (descAt + descSize > bytes.length) throw refuse(`a note of ${descAt + descSize} bytes`, bytes);
    if (view.getUint32(at + 8, isLittle) === BUILD_ID_TYPE && isGnu(bytes, at + HEADER_BYTES, nameSize)) {
      return formatBuildId(bytes.subarray(descAt, descAt + descSize));
    }
    at = descAt + roundUp(descSize);
  }
  throw refuse("a note GNU of type 3", bytes);
}

function detectByteOrder(view: DataView): "little" | "big" {
  if (view.byteLength < HEADER_BYTES) return "little";
  return view.getUint32(0, true) <= view.getUint32(0, false) ? "little" : "big";
}

function isGnu(bytes: Uint8Array, at: number, size: number): boolean {
  return size === 4 && bytes[at] === 0x47 && bytes[at + 1] === 0x4e && bytes[at + 2] === 0x55 && bytes[at + 3] === 0;
}

function formatBuildId(id: Uint8Array): string {
  if (id.length === 0 || id.length > BUILD_ID_MAX) throw refuse(`1 to ${BUILD_ID_MAX} bytes of build-id`, id);
  return Array.from(id, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Names and descriptions are padded to four bytes. */
function roundUp(size: number): number {
  return Math.ceil(size / 4) * 4;
}

function refuse(expected: string, bytes: Uint8Array): SyntaxError {
  const start = Array.from(bytes.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return new SyntaxError(`Cannot parse build-id: expected ${expected}, got ${bytes.length} bytes "${start}"`);
}
