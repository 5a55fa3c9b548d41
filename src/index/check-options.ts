import type { Encoder } from '../encoder/encoder.js';
import { LemurError } from '../errors.js';
import type { Storage } from '../storage/storage.js';
import type { IndexManifest } from './manifest.js';
import type { CreateOptions, Include } from './options.js';
import type { Snapshot } from './snapshot.js';
import { candidatesFor } from './tune.js';

/** Candidates of a search that says nothing, before `tune`. */
const DEFAULT_CANDIDATES = 200;
const INCLUDES: readonly Include[] = ['text', 'metadata', 'evidence'];

/** The manifest of an empty collection. Raises 'invalid-argument' and 'dimension-mismatch'. */
export function newManifest({
  encoder,
  dim = encoder?.dim,
  precision = 'int8',
  pooling = 1,
  features = 'auto',
}: CreateOptions): IndexManifest {
  if (dim === undefined) throw invalid('dim', 'expected a dimension, or an encoder that has one, got neither');
  if (!Number.isInteger(dim) || dim < 1) throw invalid('dim', `expected a positive integer, got ${String(dim)}`);
  if (encoder && encoder.dim !== dim)
    throw new LemurError('dimension-mismatch', `dim: expected ${encoder.dim}, the encoder's, got ${dim}`, {
      where: 'dim',
      expected: encoder.dim,
      got: dim,
    });
  if (precision !== 'int8' && precision !== 'float32') throw invalid('precision', `expected 'int8' or 'float32', got ${String(precision)}`);
  if (!Number.isInteger(pooling) || pooling < 1) throw invalid('pooling', `expected an integer of at least 1, got ${String(pooling)}`);
  if (!['auto', 'exact', 'random', 'trained'].includes(features))
    throw invalid('features', `expected 'auto', 'exact', 'random' or 'trained', got ${String(features)}`);
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
export function checkEncoder(storage: Storage, { encoder: made, dim }: IndexManifest, encoder: Encoder | undefined): void {
  if (!encoder) return;
  const where = storage.name;
  if (made && made.id !== encoder.id) {
    throw new LemurError('encoder-mismatch', `${where}: made with the encoder ${made.id}, opened with ${encoder.id}`, {
      where,
      expected: made.id,
      got: encoder.id,
    });
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
export function candidatesOf(snapshot: Snapshot, k: number, numCandidates: number | undefined, recall: number | undefined): number | null {
  const curve = snapshot.manifest.model?.curve;
  if (numCandidates !== undefined) {
    if (recall !== undefined) throw invalid('recall', 'expected either numCandidates or recall, got both');
    if (!Number.isInteger(numCandidates) || numCandidates < k)
      throw invalid('numCandidates', `expected an integer of at least k, ${k}, got ${String(numCandidates)}`);
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
    throw new LemurError('unsupported', 'recall: how many candidates it takes has not been measured: call tune() once', {
      where: 'recall',
    });
  const found = candidatesFor(curve, recall);
  return found && Math.max(found, k);
}

export function checkRecall(recall: number): void {
  if (typeof recall !== 'number' || !(recall > 0 && recall <= 1))
    throw invalid('recall', `expected a number above 0 and at most 1, got ${String(recall)}`);
}

export function checkInclude(include: readonly Include[] = ['text', 'metadata']): readonly Include[] {
  const wrong = Array.isArray(include) ? include.find((name) => !INCLUDES.includes(name)) : include;
  if (wrong !== undefined) throw invalid('include', `expected an array of ${INCLUDES.join(', ')}, got ${String(wrong)}`);
  return include;
}

export function invalid(where: string, problem: string): LemurError {
  return new LemurError('invalid-argument', `${where}: ${problem}`, { where });
}
