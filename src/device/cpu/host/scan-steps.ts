import type { ScanPrefixArgs } from '../operations/code-rows.js';
import { type Step, step } from './run.js';

/** One of so many blocks is scanned before the others. */
const BLOCKS_A_FIRST = 8;

/**
 * A scan of all prefixes. What the first blocks have found together tells the others what is too
 * low to be among the best: they list little of what would be thrown away.
 */
export function scanSteps(
  scan: Omit<ScanPrefixArgs, 'from' | 'to'>,
  blocks: number,
  threads: number,
): Step[] {
  const first = Math.max(threads, Math.ceil(blocks / BLOCKS_A_FIRST));
  if (2 * first > blocks) return [step('scanPrefix', { ...scan, from: 0, to: blocks })];
  const { count, k: listed, rows: found, scores: foundScores, floors } = scan;
  return [
    step('scanPrefix', { ...scan, from: 0, to: first }),
    step('raiseFloors', { blocks: first, count, listed, found, foundScores, floors }),
    step('scanPrefix', { ...scan, from: first, to: blocks }),
  ];
}
