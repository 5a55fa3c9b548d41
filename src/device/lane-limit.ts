/**
 * Largest code of a query's or a sample's row of int16 codes: 12 bits, or fewer, so that its
 * products with codes up to 127 sum to an int32, whatever they are; beyond 4,129 dimensions rows
 * of equal values would not.
 */
export function laneLimit(dim: number): number {
  return Math.min(4095, Math.floor((2 ** 31 - 1) / (127 * dim)));
}
