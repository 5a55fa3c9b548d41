import { checkEncoderKind, checkInteger } from '../../collection/options/check-options.js';
import type { Encoder } from '../../encoder/encoder.js';
import { invalidArgument } from '../../errors.js';
import { checkOptions, type OptionNames } from '../../known-options.js';
import { describeKind } from '../../value-kind.js';
import { rankTexts } from '../rank-texts.js';

/** How documents are reranked. */
export interface RerankingModelOptions {
  /** What telemetry and answers call the model. Default: the encoder's `id`. */
  modelId?: string | undefined;
  /** Tokens of each document that are read. Default: as many as the encoder reads. */
  maxTokens?: number | undefined;
  /**
   * The text of a document that is an object. Default: its JSON, of which the answer warns.
   */
  textOf?: ((document: Record<string, unknown>) => string) | undefined;
}

const RERANKING_MODEL_OPTIONS: OptionNames<RerankingModelOptions> = {
  modelId: true,
  maxTokens: true,
  textOf: true,
};

/** Documents as texts. */
export interface RerankingTexts {
  /** That they are. */
  type: 'text';
  /** One each. */
  values: string[];
}

/** Documents as objects of JSON. */
export interface RerankingObjects {
  /** That they are. */
  type: 'object';
  /** One each. */
  values: Record<string, unknown>[];
}

/** A document's place among the others. */
export interface RankedDocument {
  /** Its number among what was given. */
  index: number;
  /** MaxSim divided by the query's tokens, as a hit's `similarity`. */
  relevanceScore: number;
}

/** What the AI SDK asks a reranking model. */
export interface RerankingCall {
  /** Texts, or objects of JSON. */
  documents: RerankingTexts | RerankingObjects;
  /** What they are ranked for. */
  query: string;
  /** How many of the best; all by default. */
  topN?: number | undefined;
  /** Stops the call, which then rejects with the signal's reason. */
  abortSignal?: AbortSignal | undefined;
  /** Of ours there are none: what stands below `lemur` is warned of. */
  providerOptions?: Record<string, unknown> | undefined;
  /** Nothing is sent: they are warned of. */
  headers?: Record<string, string | undefined> | undefined;
}

/** What an answer warns of, as the AI SDK prints it. */
export interface RerankingWarning {
  /** Whether nothing was done with it, or something else than was meant. */
  type: 'unsupported' | 'compatibility';
  /** What was asked for. */
  feature: string;
  /** What was done. */
  details: string;
}

/** A reranking model of the AI SDK, of its versions 6 and 7. */
export interface RerankingModel {
  /** Of the interface: version 7 takes version 3 of it as it is. */
  readonly specificationVersion: 'v3';
  /** `lemur.reranking`. */
  readonly provider: string;
  /** As the options say, else the encoder's `id`. */
  readonly modelId: string;
  /**
   * Ranks the documents, the best first; equal scores by number. Rejects with 'invalid-argument',
   * with what the encoder rejects with, and with the signal's reason.
   */
  doRerank(call: RerankingCall): Promise<{
    /** The best first. */
    ranking: RankedDocument[];
    /** What was asked for and not done. */
    warnings: RerankingWarning[];
  }>;
}

/**
 * A model for `rerank` of the AI SDK (the package `ai`, 6 or 7): reads the query and the documents
 * by an encoder, which stays the caller's to close, and ranks by exact MaxSim. Raises
 * 'invalid-argument'.
 *
 * @example
 * const model = rerankingModel(await loadEncoder());
 * const { rerankedDocuments } = await rerank({ model, query, documents, topN: 3 });
 */
export function rerankingModel(
  encoder: Encoder,
  options: RerankingModelOptions = {},
): RerankingModel {
  checkEncoderKind(encoder);
  checkOptions(options, RERANKING_MODEL_OPTIONS, 'rerankingModel');
  const { modelId = encoder.id, maxTokens, textOf } = options;
  if (typeof modelId !== 'string')
    throw invalidArgument('modelId', `expected a string, got ${describeKind(modelId)}`);
  if (maxTokens !== undefined) checkInteger(maxTokens, 'maxTokens', 1);
  if (textOf !== undefined && typeof textOf !== 'function')
    throw invalidArgument('textOf', `expected a function, got ${describeKind(textOf)}`);
  return {
    specificationVersion: 'v3',
    provider: 'lemur.reranking',
    modelId,
    async doRerank(call) {
      const { documents, query, topN, abortSignal: signal } = call;
      const texts: readonly string[] =
        documents.type === 'text'
          ? documents.values
          : documents.values.map((one) => (textOf ? textOf(one) : JSON.stringify(one)));
      const ranked = await rankTexts(encoder, query, texts, { topN, maxTokens, signal });
      return {
        ranking: ranked.map(({ index, score }) => ({ index, relevanceScore: score })),
        warnings: warningsOf(call, textOf !== undefined),
      };
    },
  };
}

function warningsOf(
  { documents, providerOptions, headers }: RerankingCall,
  hasTexts: boolean,
): RerankingWarning[] {
  const warnings: RerankingWarning[] = [];
  if (documents.type === 'object' && !hasTexts)
    warnings.push({
      type: 'compatibility',
      feature: 'object documents',
      details: 'Their JSON was read; the option textOf of rerankingModel gives a text of each.',
    });
  for (const name of Object.keys(Object(providerOptions?.lemur)))
    warnings.push({
      type: 'unsupported',
      feature: `providerOptions.lemur.${name}`,
      details: 'Options are those of rerankingModel.',
    });
  if (Object.keys(headers ?? {}).length > 0)
    warnings.push({ type: 'unsupported', feature: 'headers', details: 'Nothing is sent.' });
  return warnings;
}
