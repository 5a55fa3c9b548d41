/** Of a document that is kept in step with a root: where it comes from, and as what. */
export interface MirrorRecord {
  /** Number of its root in the manifest. */
  readonly root: number;
  /** Hash of what its text was made of. */
  readonly content: Uint8Array;
  /** Hash of its metadata, or of what they were made of. */
  readonly rest: Uint8Array;
}

/** Bytes of each hash. */
export const HASH_BYTES = 16;
