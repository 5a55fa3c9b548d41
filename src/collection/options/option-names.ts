import { DEVICE_OPTIONS } from '../../device/default-device.js';
import type { OptionNames } from '../../known-options.js';
import { FIT_OPTIONS } from '../../learn/learn-options.js';
import { RUN_OPTIONS } from '../../run-options.js';
import type {
  AddOptions,
  CompactOptions,
  CreateOptions,
  FitIndexOptions,
  MirrorOptions,
  OpenOptions,
  RerankOptions,
  SearchOptions,
  TuneOptions,
} from './options.js';

export const CREATE_OPTIONS: OptionNames<CreateOptions> = {
  encoder: true,
  dim: true,
  precision: true,
  pooling: true,
  features: true,
  passages: true,
  keywords: true,
  cacheBytes: true,
  signal: true,
  ...DEVICE_OPTIONS,
};

export const OPEN_OPTIONS: OptionNames<OpenOptions> = {
  write: true,
  encoder: true,
  follow: true,
  passages: true,
  cacheBytes: true,
  signal: true,
  ...DEVICE_OPTIONS,
};

export const REFRESH_OPTIONS: OptionNames<Pick<AddOptions, 'signal'>> = { signal: true };

export const ADD_OPTIONS: OptionNames<AddOptions> = {
  onExisting: true,
  total: true,
  fit: true,
  ...RUN_OPTIONS,
};

export const MIRROR_OPTIONS: OptionNames<MirrorOptions> = {
  delete: true,
  force: true,
  dryRun: true,
  passages: true,
  ...RUN_OPTIONS,
};

export const COMPACT_OPTIONS: OptionNames<CompactOptions> = { keywords: true, ...RUN_OPTIONS };

export const SEARCH_OPTIONS: OptionNames<SearchOptions> = {
  k: true,
  numCandidates: true,
  recall: true,
  mode: true,
  filter: true,
  include: true,
  groupBy: true,
  exact: true,
  candidates: true,
  ...RUN_OPTIONS,
};

export const RERANK_OPTIONS: OptionNames<RerankOptions> = { k: true, include: true, signal: true };

export const TUNE_OPTIONS: OptionNames<TuneOptions> = {
  recall: true,
  k: true,
  queries: true,
  sample: true,
  seed: true,
  ...RUN_OPTIONS,
};

const { threads: _threads, device: _device, ...fitOptions } = FIT_OPTIONS;
export const FIT_INDEX_OPTIONS: OptionNames<FitIndexOptions> = fitOptions;
