export type { DeviceOptions } from './device/default-device.js';
export type { EncodedTexts, EncodeOptions, Encoder } from './encoder/encoder.js';
export { isLemurError, LemurError, type LemurErrorCode, type LemurErrorFields } from './errors.js';
export type { ByteRanges } from './formats/byte-ranges.js';
export {
  readSafetensors,
  type Safetensors,
  type SafetensorsArray,
  type SafetensorsEntry,
  type SafetensorsTensor,
  type SafetensorsType,
  writeSafetensors,
} from './formats/safetensors.js';
export {
  openSafetensors,
  type SafetensorsFile,
  type SafetensorsReadOptions,
} from './formats/safetensors-file.js';
export { type SafetensorsStream, streamSafetensors } from './formats/safetensors-stream.js';
export type { IndexDocument } from './index/document.js';
export type { Filter } from './index/filter.js';
export type { SearchMethod } from './index/find.js';
export { Index, type SearchResult, type StoredText } from './index/index.js';
export type { Curve, Features, Residual } from './index/manifest.js';
export type { Metadata } from './index/metadata.js';
export type {
  Added,
  AddOptions,
  CreateOptions,
  Evidence,
  FitIndexOptions,
  Hit,
  Include,
  OpenOptions,
  Query,
  RerankOptions,
  SearchOptions,
  TuneOptions,
} from './index/options.js';
export type { IndexStats } from './index/stats.js';
export type { Verification } from './index/verify.js';
export { type InitOptions, init } from './kernels/init.js';
export type { Activation } from './kernels/kernels.js';
export type { CandidateOptions } from './lemur/candidates.js';
export { Lemur } from './lemur/lemur.js';
export { type FitOptions, type LearnOptions, paper } from './lemur/options.js';
export type { ReferenceOptions } from './lemur/reference-folder.js';
export { readTxtaiCenter, type TxtaiOptions } from './lemur/txtai-folder.js';
export type { ScheduleName } from './model/schedule.js';
export type { EpochReport } from './model/train.js';
export type { Progress, RunOptions } from './run-options.js';
export { MaxSim, type MaxSimOptions } from './search/exact-search.js';
export { maxSim } from './search/max-sim.js';
export type { Candidates, TopK } from './search/top-k.js';
export { memoryStorage } from './storage/memory.js';
export type { Storage, StorageLock, StoredFile } from './storage/storage.js';
export { centerTokens } from './tokens/center.js';
export type {
  DenseTokens,
  TokenInput,
  TokenMatrix,
  TokenReport,
  TokenSets,
} from './tokens/token-sets.js';
