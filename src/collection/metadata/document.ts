import { invalidArgument, LemurError } from '../../errors.js';
import { matrixShape, type TokenMatrix } from '../../tokens/token-matrix.js';
import { checkMetadata, type Metadata } from './metadata.js';
import type { MirrorRecord } from './mirror-record.js';
import { MOST_SOURCE_BYTES } from './passage-record.js';

/**
 * A document as the caller gives it: with text, which the index's encoder turns into token vectors,
 * or with token vectors, or both.
 */
export interface IndexDocument<M extends Metadata = Metadata> {
  /**
   * Any string that is not empty and has no half of a surrogate pair, at most 1,024 bytes in UTF-8,
   * kept to the byte; one document has it at a time. Of a document that is cut into passages 1,012
   * bytes.
   */
  id: string;
  /**
   * At most 2^23 characters (UTF-16 code units), 2^24 where it is cut into passages,
   * kept as they are, halves of surrogate pairs too.
   */
  text?: string | undefined;
  /**
   * Token vectors: `{ data, dims: [tokens, dim] }` or nested arrays, 2^23 values at most. Given
   * together with a text, they are taken as they are.
   */
  tokens?: TokenMatrix | undefined;
  /**
   * JSON, for filters and for the answer: at most 32 levels, 65,536 values and 2^22 characters in a
   * document, and 2,048 different paths of keys in the documents of a collection.
   */
  metadata?: M | undefined;
}

/** A document that has passed the gate. */
export interface CheckedDocument {
  id: string;
  text: string | undefined;
  tokens: TokenMatrix | undefined;
  metadata: Metadata | undefined;
  /** What it mirrors; undefined: nothing. */
  mirror?: MirrorRecord | undefined;
}

/** The collection that a document must fit. */
export interface DocumentGate {
  dim: number;
  /** Whether texts without token vectors can be encoded. */
  encodes: boolean;
  /** Whether documents are cut into passages. */
  cuts?: boolean | undefined;
}

const FIELDS: readonly string[] = ['id', 'text', 'tokens', 'metadata'];
const ID_BYTES = 1024;
/** Characters (UTF-16 code units) of a text. */
const MOST_TEXT = 2 ** 23;
/** Of one that is cut into passages. */
const MOST_CUT_TEXT = 2 ** 24;
/** Values of a document's token vectors: 65,536 vectors of 128 dimensions. */
const MOST_TOKEN_VALUES = 2 ** 23;
const encoder = new TextEncoder();

/**
 * Raises 'invalid-argument', 'dimension-mismatch' or 'empty-document', naming the document. Values
 * of vectors are checked later.
 */
export function checkDocument(
  document: IndexDocument,
  where: string,
  { dim, encodes, cuts = false }: DocumentGate,
): CheckedDocument {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    const got = document === null ? 'null' : typeof document;
    throw invalidArgument(where, `expected { id, text or tokens, metadata }, got ${got}`);
  }
  const { id, text, tokens, metadata } = document;
  checkId(id, `${where}.id`, cuts ? MOST_SOURCE_BYTES : ID_BYTES);
  const named = `${where} (${JSON.stringify(id)})`;
  checkFields(document, named);
  checkText(text, named, cuts ? MOST_CUT_TEXT : MOST_TEXT);
  if (tokens !== undefined) checkTokens(tokens, named, dim);
  else if (text === undefined)
    throw invalidArgument(named, 'expected a text or tokens, got neither');
  else if (!encodes) {
    const advice = 'open it with { encoder }, or give tokens';
    throw invalidArgument(named, `a text without tokens, and this index has no encoder: ${advice}`);
  }
  return {
    id,
    text,
    tokens,
    metadata: metadata === undefined ? undefined : checkMetadata(metadata, `${named}.metadata`),
  };
}

function checkFields(document: object, named: string): void {
  const unknown = Object.keys(document).find((key) => !FIELDS.includes(key));
  if (unknown === undefined) return;
  const expected = 'a document has id, text, tokens and metadata, which takes fields of your own';
  throw invalidArgument(named, `unknown field '${unknown}': ${expected}`);
}

function checkText(text: unknown, named: string, most: number): void {
  if (text === undefined) return;
  const where = `${named}.text`;
  if (typeof text !== 'string')
    throw invalidArgument(where, `expected a string, got ${typeof text}`);
  if (text.length > most) {
    const got = `${text.length} characters`;
    throw invalidArgument(where, `${got}, expected at most ${most}: cut it into several documents`);
  }
}

/** At least one vector, few enough of them, of the collection's dimension. */
function checkTokens(tokens: TokenMatrix, named: string, dim: number): void {
  const where = `${named}.tokens`;
  const shape = matrixShape(tokens, where);
  const values = shape.rows * shape.dim;
  if (shape.rows === 0) {
    const problem = `${where}: no token vectors, expected at least one`;
    throw new LemurError('empty-document', problem, { where: named, index: 0 });
  }
  if (values > MOST_TOKEN_VALUES) {
    const got = `${shape.rows} vectors of ${shape.dim} dimensions, ${values} values`;
    const expected = `expected at most ${MOST_TOKEN_VALUES}: cut it into several documents`;
    throw invalidArgument(where, `${got}, ${expected}`);
  }
  if (shape.dim !== dim) {
    const problem = `${where}: vectors of ${shape.dim} dimensions, expected ${dim}`;
    const fields = { where: named, expected: dim, got: shape.dim };
    throw new LemurError('dimension-mismatch', problem, fields);
  }
}

/** Raises 'invalid-argument'. */
export function checkId(id: unknown, where: string, most: number = ID_BYTES): asserts id is string {
  if (typeof id !== 'string')
    throw invalidArgument(where, `expected a string, got ${id === null ? 'null' : typeof id}`);
  if (id === '') throw invalidArgument(where, 'expected a string that is not empty');
  if (/\p{Surrogate}/u.test(id))
    throw invalidArgument(where, 'a half of a surrogate pair: not valid Unicode');
  if (id.length > most / 3 && encoder.encode(id).length > most)
    throw invalidArgument(
      where,
      `${encoder.encode(id).length} bytes in UTF-8, expected at most ${most}`,
    );
}
