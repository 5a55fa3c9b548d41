import type { Encoder } from '../encoder/encoder.js';
import { LemurError } from '../errors.js';
import type { Storage } from '../storage/storage.js';
import { describeKind, showValue } from '../value-kind.js';
import type { IndexManifest } from './manifest.js';
import type { CreateOptions, Include } from './options.js';
import type { Snapshot } from './snapshot.js';
import { candidatesFor } from './tune.js';

/** Candidates of a search that says nothing, before `tune`. */
const DEFAULT_CANDIDATES = 200;
/** Dimensions of a collection's token vectors at most. */
const MOST_DIM = 65_536;
const INCLUDES: readonly Include[] = ['text', 'metadata', 'evidence'];

/** The manifest of an empty collection. Raises 'invalid-argument' and 'dimension-mismatch'. */
export function newManifest({
  encoder,
  dim = encoder?.dim ?? undefined,
  precision = 'int8',
  pooling = 1,
  features = 'auto',
}: CreateOptions): IndexManifest {
  if (encoder) checkEncoderKind(encoder);
  if (dim === undefined)
    throw invalid('dim', 'expected a dimension, or an encoder that has one, got neither');
  if (!Number.isInteger(dim) || dim < 1 || dim > MOST_DIM)
    throw invalid('dim', `expected an integer from 1 to ${MOST_DIM}, got ${showValue(dim)}`);
  if (encoder && encoder.dim !== dim)
    throw new LemurError(
      'dimension-mismatch',
      `dim: expected ${encoder.dim}, the encoder's, got ${dim}`,
      {
        where: 'dim',
        expected: encoder.dim,
        got: dim,
      },
    );
  if (precision !== 'int8' && precision !== 'float32')
    throw invalid('precision', `expected 'int8' or 'float32', got ${showValue(precision)}`);
  if (!Number.isSafeInteger(pooling) || pooling < 1)
    throw invalid('pooling', `expected an integer of at least 1, got ${showValue(pooling)}`);
  if (!['auto', 'exact', 'random', 'trained'].includes(features))
    throw invalid(
      'features',
      `expected 'auto', 'exact', 'random' or 'trained', got ${showValue(features)}`,
    );
  return {
    generation: 0,
    next: 1,
    dim,
    precision,
    pooling,
    features,
    encoder: encoder ? { id: encoder.id, dim: encoder.dim } : null,
    tokenMean: null,
    model: null,
    segments: [],
  };
}

/** Raises 'encoder-mismatch' and 'dimension-mismatch'. */
export function checkEncoder(
  storage: Storage,
  { encoder: made, dim }: IndexManifest,
  encoder: Encoder | undefined,
): void {
  if (!encoder) return;
  checkEncoderKind(encoder);
  const where = storage.name;
  if (made && made.id !== encoder.id) {
    throw new LemurError(
      'encoder-mismatch',
      `${where}: made with the encoder ${made.id}, opened with ${encoder.id}`,
      {
        where,
        expected: made.id,
        got: encoder.id,
      },
    );
  }
  if (encoder.dim !== dim) {
    throw new LemurError(
      'dimension-mismatch',
      `${where}: token vectors of ${dim} dimensions, the encoder ${encoder.id} gives ${encoder.dim}`,
      {
        where,
        expected: dim,
        got: encoder.dim,
      },
    );
  }
}

/** How many candidates a search takes; null: exact search. */
export function candidatesOf(
  snapshot: Snapshot,
  k: number,
  numCandidates: number | undefined,
  recall: number | undefined,
): number | null {
  const curve = snapshot.manifest.model?.curve;
  if (numCandidates !== undefined) {
    if (recall !== undefined)
      throw invalid('recall', 'expected either numCandidates or recall, got both');
    if (!Number.isSafeInteger(numCandidates) || numCandidates < k)
      throw invalid(
        'numCandidates',
        `expected an integer of at least k, ${k}, got ${showValue(numCandidates)}`,
      );
    return numCandidates;
  }
  if (recall === undefined) {
    if (!curve) return Math.max(DEFAULT_CANDIDATES, 2 * k);
    const found = candidatesFor(curve, curve.target);
    return found && Math.max(found, k);
  }
  checkRecall(recall);
  // without a model every search is exact
  if (!snapshot.model) return k;
  if (!curve)
    throw new LemurError(
      'unsupported',
      'recall: how many candidates it takes has not been measured: call tune() once',
      {
        where: 'recall',
      },
    );
  const found = candidatesFor(curve, recall);
  return found && Math.max(found, k);
}

/** Raises 'invalid-argument' for what is no encoder. */
export function checkEncoderKind(encoder: unknown): void {
  const { id, dim, encodeQuery, encodeDocument } = Object(encoder) as Partial<Encoder>;
  const methods = typeof encodeQuery === 'function' && typeof encodeDocument === 'function';
  if (!methods || typeof id !== 'string' || !Number.isInteger(dim) || (dim as number) < 1) {
    const expected =
      'expected an encoder, with an id, a dim and the methods encodeQuery and encodeDocument (lemur/encoder loads one)';
    throw invalid('encoder', `${expected}, got ${describeKind(encoder)}`);
  }
}

/** Raises 'invalid-argument' for anything but true, false and undefined. */
export function checkFlag(value: unknown, where: string): void {
  if (value !== undefined && typeof value !== 'boolean')
    throw invalid(where, `expected true or false, got ${showValue(value)}`);
}

/** Raises 'invalid-argument'. */
export function checkInteger(
  value: unknown,
  where: string,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): void {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return;
  const range =
    most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw invalid(where, `expected an integer ${range}, got ${showValue(value)}`);
}

export function checkRecall(recall: number): void {
  if (typeof recall !== 'number' || !(recall > 0 && recall <= 1))
    throw invalid('recall', `expected a number above 0 and at most 1, got ${showValue(recall)}`);
}

export function checkInclude(
  include: readonly Include[] = ['text', 'metadata'],
): readonly Include[] {
  const list: readonly unknown[] = Array.isArray(include) ? Array.from(include) : [include];
  const at = Array.isArray(include)
    ? list.findIndex((name) => !INCLUDES.includes(name as Include))
    : 0;
  if (at >= 0)
    throw invalid(
      'include',
      `expected an array of ${INCLUDES.join(', ')}, got ${showValue(list[at])}`,
    );
  return include;
}

export function invalid(where: string, problem: string): LemurError {
  return new LemurError('invalid-argument', `${where}: ${problem}`, { where });
}
