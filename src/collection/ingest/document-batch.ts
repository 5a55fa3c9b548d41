import { LemurError } from '../../errors.js';
import { isTensor, matrixShape, type TokenMatrix } from '../../tokens/token-matrix.js';
import { keywordBytes, storedBytes } from '../metadata/segment-limits.js';
import type { StoredPart } from './cut-documents.js';

/** Documents that get token vectors in one call. */
const BATCH = 256;
/** Bytes of their texts. */
const BATCH_TEXT_BYTES = 4 * 1024 * 1024;
/** Bytes of all that they have. */
const BATCH_BYTES = 16 * 1024 * 1024;

/** A document that waits for its vectors, and the bytes that the rest of it takes when stored. */
export interface WaitingDocument extends StoredPart {
  readonly bytes: number;
}

/** Documents that wait for their token vectors, in memory of their own. */
export class DocumentBatch {
  #documents: WaitingDocument[] = [];
  #bytes = 0;
  #textBytes = 0;

  get isFull(): boolean {
    return (
      this.#documents.length >= BATCH ||
      this.#textBytes >= BATCH_TEXT_BYTES ||
      this.#bytes >= BATCH_BYTES
    );
  }

  /** Returns the bytes of the rest. */
  async add(document: StoredPart, dim: number): Promise<number> {
    const bytes = (await storedBytes(document)) + keywordBytes(document);
    const tokens = document.tokens && ownTokens(document.tokens, document.id, dim);
    this.#documents.push({ ...document, tokens, bytes });
    this.#bytes += bytes + (tokens ? 4 * dim * matrixShape(tokens, 'tokens').rows : 0);
    this.#textBytes += 2 * (document.text?.length ?? 0);
    return bytes;
  }

  /** Empties it. */
  take(): WaitingDocument[] {
    const documents = this.#documents;
    this.#documents = [];
    this.#bytes = this.#textBytes = 0;
    return documents;
  }
}

/**
 * A copy: what gives documents one by one may use its array again for the next. The array may also
 * have changed since it was checked; values are looked at later. Raises 'dimension-mismatch'.
 */
function ownTokens(tokens: TokenMatrix, id: string, dim: number): TokenMatrix {
  const own = isTensor(tokens)
    ? { dims: [...tokens.dims], data: tokens.data.slice() }
    : tokens.map((row) => row.slice());
  const where = `document ${JSON.stringify(id)}`;
  const { dim: got } = matrixShape(own, `${where}.tokens`);
  if (got === dim) return own;
  const message = `${where}.tokens: vectors of ${got} dimensions, expected ${dim}`;
  throw new LemurError('dimension-mismatch', message, { where, expected: dim, got });
}
