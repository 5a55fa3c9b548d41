import { LemurError } from '../../errors.js';
import {
  type CheckedForm,
  encodeCheckedJson,
  readCheckedJson,
} from '../../formats/json/checked-json.js';
import { showJson } from '../../formats/json/show-json.js';
import type { FeatureMapDescription } from '../../learn/feature-map-description.js';
import type { ResolvedLearnOptions } from '../../learn/learn-options.js';
import type { Precision } from '../../tokens/encodings.js';
import { checkManifest } from './check-manifest.js';

/** The one file of a collection that changes, always in one step. */
export const MANIFEST = 'index.json';
const FORMAT = 'lemur-index';
const VERSION = 1;

/** An immutable file as the manifest knows it. */
export interface FileEntry {
  name: string;
  bytes: number;
  /** CRC-32 of the whole file. */
  crc32: number;
  /** Of the safetensors header with its length; what is behind it is checked by the sums in it. */
  headerCrc32: number;
}

/**
 * How well the least squares explain the targets of documents: squared residual over variance, the
 * mean of a few documents.
 */
export interface Residual {
  /** Documents it comes from; 0: unknown. */
  documents: number;
  /**
   * Squared residual over variance: 0 where the weights explain all, 1 where they explain nothing.
   */
  mean: number;
}

/** A batch of documents that never changes. */
export interface SegmentEntry {
  file: FileEntry;
  documents: number;
  tokens: number;
  /** Codes of its documents' weights; null while the collection has no model. */
  codes: FileEntry | null;
  /** Which of its documents are deleted; null: none is. */
  deleted: { file: FileEntry; count: number } | null;
  /** Mean squared error of the stored tokens over the variance of the given ones. */
  quantizationError: number;
  /** Of documents that came after the fit; null: unknown. */
  residual: Residual | null;
  /** Of its documents, those that the model was fitted with. */
  fitted: number;
}

/** Recall of the exact top k on held-out queries by number of candidates. */
export interface Curve {
  /** The k of the top k. */
  k: number;
  /** How many queries it was measured with. */
  queries: number;
  /** Where the queries came from. */
  source: 'given' | 'collection';
  /** Documents when it was measured. */
  documents: number;
  /** The recall that searches aim at when they ask for none. */
  target: number;
  /** [numCandidates, recall, standard error], ascending. */
  points: [number, number, number][];
}

export interface ModelEntry {
  file: FileEntry;
  features: 'random' | 'trained';
  featureMap: FeatureMapDescription;
  mean: number;
  std: number;
  /**
   * Length of a typical document's longest token vector; absent in models of earlier versions,
   * which take all vectors as they are.
   */
  length?: number | undefined;
  prefix: { dim: number; step: number };
  options: ResolvedLearnOptions;
  /** Documents when it was fitted. */
  documents: number;
  /** Of the documents it was fitted with. */
  residual: Residual;
  curve: Curve | null;
}

/** Which way of finding candidates: by what is best for the size, or as the caller says. */
export type Features = 'auto' | 'exact' | 'random' | 'trained';

/** An automatic fit that found nothing to learn. */
export interface Unfit {
  /** Documents then. */
  documents: number;
  why: string;
}

export interface IndexManifest {
  /** Counts the commits. */
  generation: number;
  /** Number of the next data file. */
  next: number;
  dim: number;
  precision: Precision;
  /** Token vectors of a document are merged into this part of them. 1: all are kept. */
  pooling: number;
  features: Features;
  encoder: { id: string; dim: number } | null;
  /** Parameters of int8; null before the first document, and with other encodings. */
  tokenMean: number[] | null;
  /** Parameters of an encoding under the name that it gives them; none before the first document. */
  [parameters: `token${string}`]: number[] | null | undefined;
  model: ModelEntry | null;
  segments: SegmentEntry[];
  /** Absent where no automatic fit has failed; without meaning where there is a model. */
  unfit?: Unfit | undefined;
}

const FORM: CheckedForm = { format: FORMAT, key: 'index' };

/** JSON in one line, in this order: format, version, CRC-32 of the text of `index`, `index`. */
export function encodeManifest(manifest: IndexManifest): Uint8Array {
  return encodeCheckedJson(FORM, VERSION, manifest);
}

/** Raises 'bad-file', or 'unsupported' for a version that is newer. */
export function decodeManifest(bytes: Uint8Array, where: string): IndexManifest {
  const bad = (problem: string, cause?: unknown): LemurError =>
    new LemurError(
      'bad-file',
      `${where}: ${problem}`,
      { where },
      cause === undefined ? {} : { cause },
    );
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw bad('not valid UTF-8: not the manifest of an index, or damaged', cause);
  }
  const found = readCheckedJson(text, FORM);
  if (!found)
    throw bad(
      `not the manifest of an index, or damaged: it begins with ${showJson(text.slice(0, 40))}`,
    );
  const { version, json, expected, actual } = found;
  if (version > VERSION) {
    throw new LemurError(
      'unsupported',
      `${where}: an index of version ${version}; this lemur reads up to ${VERSION}: install a newer one`,
      { where },
    );
  }
  if (!found.intact) throw bad(`checksum ${actual}, expected ${expected}: the file is damaged`);
  let manifest: unknown;
  try {
    manifest = JSON.parse(json);
  } catch (cause) {
    throw bad('not JSON', cause);
  }
  checkManifest(manifest, where);
  return manifest;
}

/** Names of all files that a manifest refers to. */
export function filesOf({ model, segments }: IndexManifest): FileEntry[] {
  const files = segments.flatMap(({ file, codes, deleted }) => [
    file,
    ...(codes ? [codes] : []),
    ...(deleted ? [deleted.file] : []),
  ]);
  return model ? [model.file, ...files] : files;
}
