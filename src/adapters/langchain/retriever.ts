import type { CallbackManagerForRetrieverRun } from '@langchain/core/callbacks/manager';
import type { DocumentInterface } from '@langchain/core/documents';
import { BaseRetriever, type BaseRetrieverInput } from '@langchain/core/retrievers';
import { ensureConfig, type RunnableConfig } from '@langchain/core/runnables';
import type { Index } from '../../collection/index.js';
import type { Filter } from '../../collection/metadata/filter.js';
import type { Metadata } from '../../collection/metadata/metadata.js';
import type { SearchMode, SearchOptions } from '../../collection/options/options.js';
import { invalidArgument } from '../../errors.js';
import { describeKind } from '../../value-kind.js';

/** What a retriever searches, and how. */
export interface LemurRetrieverInput<M extends Metadata = Metadata> extends BaseRetrieverInput {
  /** The collection, which stays the caller's to close. */
  index: Index<M>;
  /** Documents at most. Default 10. */
  k?: number | undefined;
  /** What documents are ranked by. Default 'meaning'. */
  mode?: SearchMode | undefined;
  /** Only documents whose metadata passes. */
  filter?: Filter<M> | undefined;
  /** `source`: one for each document that passages are of, its best. */
  groupBy?: 'source' | undefined;
  /** Documents that are reranked by exact MaxSim, as of `Index.search`. */
  numCandidates?: number | undefined;
}

/** What stands in the metadata of a document that was found, beside its own. */
export interface LemurDocumentMetadata {
  /** Its own metadata; what has one of the names below is not seen. */
  // biome-ignore lint/suspicious/noExplicitAny: as LangChain has it, so that it is read as it is
  [name: string]: any;
  /** Of the passage or the document. */
  id: string;
  /** As of a `Hit`: MaxSim, with `mode` BM25 or one number of both. */
  score: number;
  /** The score as it compares across queries, 1 at most. */
  similarity: number;
  /** The id of the document that it is of. */
  source: string;
  /** Where a passage stands in the text of its document, [start, end). */
  span?: readonly [number, number] | undefined;
  /** Its first and last line there, from 1 on. */
  lines?: readonly [number, number] | undefined;
}

/**
 * A retriever of LangChain over a collection; a signal or a timeout of a call stops it. Needs the
 * package `@langchain/core`. Rejects as `Index.search` does.
 *
 * @example
 * const retriever = new LemurRetriever({ index, k: 5, mode: 'hybrid' });
 * const documents = await retriever.invoke('do statins lower cholesterol?');
 */
export class LemurRetriever<
  M extends Metadata = Metadata,
> extends BaseRetriever<LemurDocumentMetadata> {
  /** What LangChain calls the class. */
  static override lc_name(): string {
    return 'LemurRetriever';
  }

  /** Where LangChain says it is from. */
  override lc_namespace: string[] = ['lemur', 'retrievers'];
  /** The collection. */
  readonly index: Index<M>;
  /** How it is searched. */
  readonly options: SearchOptions<M>;
  /** Of the call under way. */
  protected readonly signal?: AbortSignal | undefined;

  /** Raises 'invalid-argument' for what is no collection; what else is wrong, a call says. */
  constructor(fields: LemurRetrieverInput<M>) {
    super(fields);
    const { index, k, mode, filter, groupBy, numCandidates } = fields;
    if (typeof Object(index).search !== 'function')
      throw invalidArgument('index', `expected an Index, got ${describeKind(index)}`);
    this.index = index;
    this.options = { k, mode, filter, groupBy, numCandidates };
  }

  /** Finds documents for a question, the best first. */
  override invoke(
    input: string,
    options?: Partial<RunnableConfig>,
  ): Promise<DocumentInterface<LemurDocumentMetadata>[]> {
    // the base class does not hand the signal on: a view of this retriever has that of the call
    const config = ensureConfig(options);
    const view: LemurRetriever<M> = Object.create(this, { signal: { value: config.signal } });
    return super.invoke.call(view, input, config);
  }

  /** What `invoke` calls. */
  override async _getRelevantDocuments(
    query: string,
    _run?: CallbackManagerForRetrieverRun,
  ): Promise<DocumentInterface<LemurDocumentMetadata>[]> {
    const { hits } = await this.index.search(query, { ...this.options, signal: this.signal });
    return hits.map(({ id, score, similarity, passage, text, metadata }) => ({
      id,
      pageContent: text ?? '',
      metadata: {
        ...metadata,
        id,
        score,
        similarity,
        source: passage?.source ?? id,
        ...(passage?.span && { span: passage.span }),
        ...(passage?.lines && { lines: passage.lines }),
      },
    }));
  }
}
