/** What a worker may use while it runs a block. */
export interface ScratchArea {
  readonly address: number;
  /** As the operation has stated it. */
  readonly bytes: number;
}

/** Bytes behind each piece of scratch that are watched, in tests. */
export const GUARD_BYTES = 64;
/** Pieces of an area that may be watched at a time. */
const GUARDED_PIECES = 256;

/** Bytes that an area takes in memory besides those that are stated. */
export function guardBytes(guarded: boolean): number {
  return guarded ? GUARDED_PIECES * GUARD_BYTES : 0;
}
