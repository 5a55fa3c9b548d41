import type { EncoderOrigin } from '../../encoder/origin.js';
import type { FeatureMapDescription } from '../../learn/feature-map-description.js';
import type { ResolvedLearnOptions } from '../../learn/learn-options.js';
import type { PassageRules } from '../../passages/passage-rules.js';
import type { Precision } from '../../tokens/encodings.js';

/** The one file of a collection that changes, always in one step. */
export const MANIFEST = 'index.json';

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

/** Which words are in the texts of a segment. */
export interface KeywordsEntry {
  file: FileEntry;
  /** Texts that have words, and how many words these have in all; of deleted documents too. */
  texts: number;
  words: number;
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
  /** null: its texts have no words; absent where nobody has looked. */
  keywords?: KeywordsEntry | null | undefined;
}

/** Bytes that a segment counts for where several become one. */
export function segmentBytes({ file, keywords }: Pick<SegmentEntry, 'file' | 'keywords'>): number {
  return file.bytes + (keywords?.file.bytes ?? 0);
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

/** The encoder that texts became token vectors by. */
export interface EncoderEntry {
  id: string;
  dim: number;
  /** Absent where it is not known, as of encoders that only their programs can make. */
  origin?: EncoderOrigin | undefined;
  /** Its projection's values; absent where it has none. */
  projection?: FileEntry | undefined;
}

/** What some documents are kept in step with, such as a folder. */
export interface RootEntry {
  /** Its name: of a folder the path, from the collection's own folder where that has one. */
  root: string;
  /** What the ids of its documents begin with. */
  prefix: string;
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
  encoder: EncoderEntry | null;
  /** Parameters of int8; null before the first document, and with other encodings. */
  tokenMean: number[] | null;
  /**
   * Parameters of an encoding under the name that it gives them; none before the first document.
   */
  [parameters: `token${string}`]: number[] | null | undefined;
  model: ModelEntry | null;
  segments: SegmentEntry[];
  /** What documents are kept in step with; absent: nothing. Those of documents are numbers here. */
  roots?: readonly RootEntry[] | undefined;
  /** How documents are cut; absent: they are not. */
  passages?: PassageRules | undefined;
  /** Absent: segments get their keywords when they are written. */
  keywords?: false | undefined;
  /** Absent where no automatic fit has failed; without meaning where there is a model. */
  unfit?: Unfit | undefined;
}

/** Names of all files that a manifest refers to. */
export function filesOf({ encoder, model, segments }: IndexManifest): FileEntry[] {
  const own = [model?.file, encoder?.projection].filter((file) => file !== undefined);
  const files = segments.flatMap(({ file, codes, deleted, keywords }) => [
    file,
    ...(codes ? [codes] : []),
    ...(keywords ? [keywords.file] : []),
    ...(deleted ? [deleted.file] : []),
  ]);
  return [...own, ...files];
}
