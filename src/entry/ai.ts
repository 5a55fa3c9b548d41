export {
  type RankedDocument,
  type RerankingCall,
  type RerankingModel,
  type RerankingModelOptions,
  type RerankingObjects,
  type RerankingTexts,
  type RerankingWarning,
  rerankingModel,
} from '../adapters/ai/reranking-model.js';
export {
  type CheckedInput,
  type ModelText,
  type SearchTool,
  type SearchToolInput,
  type SearchToolOptions,
  type SearchToolSchema,
  type SearchToolTypes,
  searchTool,
} from '../adapters/ai/search-tool.js';
export type { FoundText } from '../adapters/search-for-model.js';
