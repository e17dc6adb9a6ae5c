// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "@berth/core/protocol/berth-error";

const SECONDS: ReadonlyMap<string, number> = new Map([
  ["s", 1],
  ["m", 60],
  ["h", 3600],
  ["d", 86_400],
]);

/** What a duration may be, in seconds. */
export interface DurationLimits {
  readonly min: number;
  readonly max: number;
}

/** Reads `90s`, `10m`, `1h` or `2d` of an option, as seconds. Throws BerthError `usage_bad_value`. */
export function parseDuration(option: string, { min, max }: DurationLimits): (text: string) => number {
  return (text) => {
    const [, count = "", unit = ""] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
    const seconds = count === "" ? Number.NaN : Number(count) * (SECONDS.get(unit) ?? Number.NaN);
    if (seconds >= min && seconds <= max) return seconds;
    throw new BerthError("usage_bad_value", `Cannot read ${option} ${JSON.stringify(text.slice(0, 80))}`, {
      place: option,
      expected: `a duration from ${formatDuration(min)} to ${formatDuration(max)}, such as 90s, 10m, 1h or 2d`,
    });
  };
}

/** Writes seconds in the largest unit that leaves nothing over. */
export function formatDuration(seconds: number): string {
  const fitting = [...SECONDS].findLast(([, length]) => seconds >= length && seconds % length === 0);
  return fitting === undefined ? `${seconds}s` : `${seconds / fitting[1]}${fitting[0]}`;
}
