import type { Metadata } from './metadata.js';

/** A document as a segment keeps it. */
export interface StoredDocument {
  id: string;
  text: string | undefined;
  metadata: Metadata | undefined;
  /** rows x dim, int8 or float32. */
  vectors: Int8Array | Float32Array;
  /** What a code is worth; 1 for float32. */
  factor: number;
  /** [start, end) in the text of each row; undefined where the encoder gave none. */
  spans: Int32Array | undefined;
}
