export {
  LemurRerank,
  type LemurRerankInput,
  type RankedText,
} from '../adapters/langchain/rerank.js';
export {
  type LemurDocumentMetadata,
  LemurRetriever,
  type LemurRetrieverInput,
} from '../adapters/langchain/retriever.js';
