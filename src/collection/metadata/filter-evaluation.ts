import type { Column } from './column.js';
import { testColumn, type ValueTest } from './value-test.js';

/** The columns that were read, by path, of a segment of `rows` documents. */
export interface SegmentColumns {
  readonly columns: ReadonlyMap<string, Column | undefined>;
  readonly rows: number;
  /** Gives way to other work. */
  readonly step: (steps?: number) => Promise<void> | undefined;
}

/** A part of a filter: 1 for each document that passes, in an array of its own. */
export type Evaluate = (segment: SegmentColumns) => Promise<Uint8Array>;

/** Passes documents whose values at the path pass the test. */
export function testOf(path: string, test: ValueTest): Evaluate {
  return ({ columns, rows, step }) => testColumn(columns.get(path), rows, test, step);
}

/** Passes the documents that the part does not. */
export function not(part: Evaluate): Evaluate {
  return async (segment) => {
    const passes = await part(segment);
    for (let i = 0; i < passes.length; i++) passes[i] ^= 1;
    return passes;
  };
}

/** Passes the documents that every part does. */
export function all(parts: readonly Evaluate[]): Evaluate {
  if (parts.length === 1) return parts[0];
  return async (segment) => {
    const passes = new Uint8Array(segment.rows).fill(1);
    for (const part of parts) {
      const of = await part(segment);
      for (let i = 0; i < of.length; i++) passes[i] &= of[i];
    }
    return passes;
  };
}

/** Passes the documents that at least one part does. */
export function any(parts: readonly Evaluate[]): Evaluate {
  return async (segment) => {
    const passes = new Uint8Array(segment.rows);
    for (const part of parts) {
      const of = await part(segment);
      for (let i = 0; i < of.length; i++) passes[i] |= of[i];
    }
    return passes;
  };
}
