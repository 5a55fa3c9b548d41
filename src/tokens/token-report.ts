import { pacer } from '../pacer.js';
import type { TokenSets } from './token-sets.js';

/** Oddities that the gate lets through but the caller may want to know of. */
export interface TokenReport {
  /** Rows that are zero throughout: padding that was not cut off, most likely. */
  zeroRows: number;
  /**
   * Rows whose norm is further than 1e-2 from 1. Allowed: MaxSim is an inner product, not a cosine.
   */
  nonUnitRows: number;
}

/** Counts zero rows and rows that are not of unit length. */
export async function reportTokens(
  { vectors, dim }: TokenSets,
  signal?: AbortSignal | undefined,
): Promise<TokenReport> {
  const pace = pacer(signal);
  const rows = vectors.length / dim;
  let zeroRows = 0;
  let nonUnitRows = 0;
  for (let row = 0, at = 0; row < rows; row++) {
    if (row % 8192 === 0) await pace();
    let square = 0;
    for (let c = 0; c < dim; c++, at++) square += vectors[at] * vectors[at];
    if (square === 0) zeroRows++;
    else if (Math.abs(Math.sqrt(square) - 1) > 1e-2) nonUnitRows++;
  }
  return { zeroRows, nonUnitRows };
}
