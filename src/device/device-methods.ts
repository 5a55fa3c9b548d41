import type { SearchDevice } from './device.js';
import type { Learner } from './learner.js';

type Methods<T> = { [K in keyof T as T[K] extends (...args: never) => unknown ? K : never]: true };

const SEARCH: Methods<SearchDevice> = {
  upload: true,
  allocate: true,
  join: true,
  attach: true,
  read: true,
  write: true,
  free: true,
  queryFeatures: true,
  innerProducts: true,
  encodeRows: true,
  topCodes: true,
  topCodesOfTokens: true,
  searchDocuments: true,
  topInnerProducts: true,
  maxSim: true,
  maxSimSubset: true,
};

const LEARNER: Methods<Learner> = {
  features: true,
  targets: true,
  createTraining: true,
  gram: true,
  uploadMatrix: true,
  documentWeights: true,
};

/** What a device must have to search. */
export const SEARCH_METHODS: readonly string[] = Object.keys(SEARCH);
/** What it must have besides to learn. */
export const LEARNER_METHODS: readonly string[] = Object.keys(LEARNER);

/** Those of the methods that a value does not have. */
export function missingMethods(value: unknown, methods: readonly string[]): string[] {
  const held = Object(value) as Record<string, unknown>;
  return methods.filter((method) => typeof held[method] !== 'function');
}
