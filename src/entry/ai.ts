export {
  type RerankingCall,
  type RerankingModel,
  type RerankingModelOptions,
  type RerankingWarning,
  rerankingModel,
} from '../adapters/ai/reranking-model.js';
export {
  type SearchTool,
  type SearchToolInput,
  type SearchToolOptions,
  type SearchToolSchema,
  searchTool,
} from '../adapters/ai/search-tool.js';
export type { FoundText } from '../adapters/search-for-model.js';
