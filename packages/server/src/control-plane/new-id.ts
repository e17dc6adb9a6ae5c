// SPDX-License-Identifier: Apache-2.0

import { randomBytes } from "node:crypto";

const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";
const TIME_LENGTH = 10;
const CHANCE_BYTES = 10;
/** Chance is drawn for so many ids at once: drawing costs more than what is drawn. */
const DRAWN_IDS = 256;

let drawn = new Uint8Array(0);
let used = 0;

/**
 * A fresh id of 26 letters and digits: the time in milliseconds, then 80 random bits. Ids sort by the time at which they
 * were made, across servers as well as their clocks agree.
 */
export function newId(nowMs: number): string {
  let rest = nowMs;
  let time = "";
  for (let at = 0; at < TIME_LENGTH; at += 1) {
    time = `${DIGITS[rest % 32] ?? "0"}${time}`;
    rest = Math.floor(rest / 32);
  }
  return time + encodeBytes(drawBytes());
}

/** Fresh random bytes, none of them twice. */
function drawBytes(): Uint8Array {
  if (used + CHANCE_BYTES > drawn.length) {
    drawn = randomBytes(CHANCE_BYTES * DRAWN_IDS);
    used = 0;
  }
  used += CHANCE_BYTES;
  return drawn.subarray(used - CHANCE_BYTES, used);
}

/** Five bits a digit; ten bytes make sixteen digits. */
function encodeBytes(bytes: Uint8Array): string {
  let text = "";
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += DIGITS[(held >> bits) & 31] ?? "0";
    }
    held &= (1 << bits) - 1;
  }
  return text;
}
