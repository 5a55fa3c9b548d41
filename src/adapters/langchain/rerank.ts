import { Document, type DocumentInterface } from '@langchain/core/documents';
import { BaseDocumentCompressor } from '@langchain/core/retrievers/document_compressors';
import { checkEncoderKind, checkInteger } from '../../collection/options/check-options.js';
import type { Encoder } from '../../encoder/encoder.js';
import { checkOptions, type OptionNames } from '../../known-options.js';
import { rankTexts } from '../rank-texts.js';

/** How documents are reranked. */
export interface LemurRerankInput {
  /** Reads the question and the documents; it stays the caller's to close. */
  encoder: Encoder;
  /** How many of the best are kept. Default: all. */
  topN?: number | undefined;
  /** Tokens of each document that are read. Default: as many as the encoder reads. */
  maxTokens?: number | undefined;
}

const LEMUR_RERANK_INPUT: OptionNames<LemurRerankInput> = {
  encoder: true,
  topN: true,
  maxTokens: true,
};

/** A text's place among the others. */
export interface RankedText {
  /** Its number among what was given. */
  index: number;
  /** MaxSim divided by the question's tokens. */
  relevanceScore: number;
}

/**
 * A document compressor of LangChain: reranks what another retriever found by exact MaxSim, as
 * `ContextualCompressionRetriever` asks it to. Needs the package `@langchain/core`.
 *
 * @example
 * const rerank = new LemurRerank({ encoder: await loadEncoder(), topN: 3 });
 * const best = await rerank.compressDocuments(await other.invoke(question), question);
 */
export class LemurRerank extends BaseDocumentCompressor {
  /** Reads the question and the documents. */
  readonly encoder: Encoder;
  /** How many of the best are kept; undefined: all. */
  readonly topN: number | undefined;
  /** Tokens of each document that are read. */
  readonly maxTokens: number | undefined;

  /** Raises 'invalid-argument'. */
  constructor(fields: LemurRerankInput) {
    super();
    checkOptions(fields, LEMUR_RERANK_INPUT, 'LemurRerank');
    const { encoder, topN, maxTokens } = fields;
    checkEncoderKind(encoder);
    if (topN !== undefined) checkInteger(topN, 'topN', 1);
    if (maxTokens !== undefined) checkInteger(maxTokens, 'maxTokens', 1);
    this.encoder = encoder;
    this.topN = topN;
    this.maxTokens = maxTokens;
  }

  /**
   * The best documents, the best first, each a copy with `relevanceScore` in its metadata: MaxSim
   * divided by the question's tokens. Rejects with 'invalid-argument', and as the encoder does.
   */
  override async compressDocuments(
    documents: DocumentInterface[],
    query: string,
  ): Promise<DocumentInterface[]> {
    const ranked = await this.rerank(
      documents.map(({ pageContent }) => pageContent),
      query,
    );
    return ranked.map(({ index, relevanceScore }) => {
      const { pageContent, metadata, id } = documents[index];
      return new Document({
        pageContent,
        metadata: { ...metadata, relevanceScore },
        ...(id !== undefined && { id }),
      });
    });
  }

  /** Numbers of the best texts and their scores, the best first; a signal stops it. */
  async rerank(
    texts: readonly string[],
    query: string,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<RankedText[]> {
    const { encoder, topN, maxTokens } = this;
    const { signal } = options;
    const ranked = await rankTexts(encoder, query, texts, { topN, maxTokens, signal });
    return ranked.map(({ index, score }) => ({ index, relevanceScore: score }));
  }
}
