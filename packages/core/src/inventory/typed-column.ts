// SPDX-License-Identifier: Apache-2.0

/** The column itself where it is long enough, else a longer copy: half as long again, so that growing is paid once. */
export function widenUint32(column: Uint32Array, length: number): Uint32Array {
  if (length <= column.length) return column;
  const wider = new Uint32Array(Math.max(length, 16, column.length + (column.length >>> 1)));
  wider.set(column);
  return wider;
}

/** As `widenUint32`, for a column of doubles. */
export function widenFloat64(column: Float64Array, length: number): Float64Array {
  if (length <= column.length) return column;
  const wider = new Float64Array(Math.max(length, 16, column.length + (column.length >>> 1)));
  wider.set(column);
  return wider;
}
