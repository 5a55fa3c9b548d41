export type { ByteSource } from '../bytes/byte-source.js';
export type { Curve, Features, Residual } from '../collection/files/manifest.js';
export type { Verification } from '../collection/files/verify.js';
export type { StoredText } from '../collection/get.js';
export { Index } from '../collection/index.js';
export type { DocumentLengths } from '../collection/learn/refit-advice.js';
export type { IndexDocument } from '../collection/metadata/document.js';
export type {
  AnyFilter,
  Condition,
  Filter,
  FilterOperators,
} from '../collection/metadata/filter.js';
export type { Metadata } from '../collection/metadata/metadata.js';
export type {
  MirrorContent,
  MirrorDocument,
  MirrorFacts,
  MirrorSource,
} from '../collection/mirror/mirror-source.js';
export type {
  AddOptions,
  CompactOptions,
  CreateOptions,
  DefaultInclude,
  FitIndexOptions,
  Include,
  MirrorOptions,
  OpenOptions,
  Query,
  RerankOptions,
  SearchMode,
  SearchOptions,
  TuneOptions,
} from '../collection/options/options.js';
export type {
  Added,
  Evidence,
  Hit,
  HitParts,
  Mirrored,
  Passage,
} from '../collection/options/results.js';
export {
  type Highlight,
  type HighlightOptions,
  type HighlightPart,
  highlight,
} from '../collection/query/highlight.js';
export type { SearchMethod, SearchResult } from '../collection/query/search-result.js';
export type { IndexStats } from '../collection/query/stats.js';
export type { Tuned } from '../collection/tune.js';
export type { DeviceName, DeviceOptions } from '../device/default-device.js';
export type { EncodedTexts, EncodeOptions, Encoder } from '../encoder/encoder.js';
export type { ModelReference } from '../encoder/files/model-reference.js';
export type { ProductPrecision } from '../encoder/graph/graph-builder.js';
export type { EncoderOrigin, TextReading } from '../encoder/origin.js';
export type { Projection } from '../encoder/runtime/body.js';
export { isLemurError, LemurError, type LemurErrorCode, type LemurErrorFields } from '../errors.js';
export {
  readSafetensors,
  type Safetensors,
  type SafetensorsArray,
  type SafetensorsEntry,
  type SafetensorsTensor,
  type SafetensorsType,
  writeSafetensors,
} from '../formats/safetensors/safetensors.js';
export {
  openSafetensors,
  type SafetensorsFile,
  type SafetensorsReadOptions,
} from '../formats/safetensors/safetensors-file.js';
export {
  type SafetensorsStream,
  streamSafetensors,
} from '../formats/safetensors/safetensors-stream.js';
export { type InitOptions, init } from '../kernels/init.js';
export type { Activation } from '../kernels/kernels.js';
export {
  type FitOptions,
  type LearnOptions,
  paper,
  type ResolvedLearnOptions,
} from '../learn/learn-options.js';
export type { ScheduleName } from '../learn/schedule.js';
export type { EpochReport } from '../learn/train.js';
export type { CandidateOptions } from '../lemur/candidate-options.js';
export { Lemur } from '../lemur/lemur.js';
export type { ReferenceOptions } from '../lemur/reference-folder.js';
export type { LemurSearchOptions } from '../lemur/search-reranked.js';
export { readTxtaiCenter } from '../lemur/txtai-artefact.js';
export type { TxtaiOptions } from '../lemur/txtai-folder.js';
export type {
  CutBy,
  CutFunction,
  CutPassage,
  PassageOptions,
  PassageRules,
} from '../passages/passage-rules.js';
export type { Progress, RunOptions } from '../run-options.js';
export type { AllowedDocuments } from '../search/allowed-documents.js';
export type { Candidates } from '../search/candidate-lists.js';
export type {
  CandidateAnswer,
  CandidateQueries,
  CandidateRequest,
  CandidateSource,
} from '../search/candidate-source.js';
export { MaxSim, type MaxSimOptions, maxSim } from '../search/max-sim.js';
export type { TopK } from '../search/top-documents.js';
export { memoryStorage } from '../storage/memory.js';
export type { ReadableStorage, Storage, StorageLock, StoredFile } from '../storage/storage.js';
export { centerTokens } from '../tokens/center.js';
export type { TokenMatrix } from '../tokens/token-matrix.js';
export type { TokenReport } from '../tokens/token-report.js';
export type { DenseTokens, TokenInput, TokenSets } from '../tokens/token-sets.js';
