import type { EncodedRows } from '../../tokens/encoding.js';
import type { Metadata } from './metadata.js';
import type { MirrorRecord } from './mirror-record.js';
import type { PassageRecord } from './passage-record.js';

/** A document as a segment keeps it. */
export interface StoredDocument extends EncodedRows {
  id: string;
  text: string | undefined;
  metadata: Metadata | undefined;
  /** Where it stands in its source, whose id its own begins with; undefined: it is a whole one. */
  passage?: PassageRecord | undefined;
  /** What it mirrors; undefined: nothing. */
  mirror?: MirrorRecord | undefined;
  /** [start, end) in the text of each row; undefined where the encoder gave none. */
  spans: Int32Array | undefined;
}
