import type { Learner } from './learner.js';
import type { TensorMemory } from './memory.js';
import type { Retriever } from './retriever.js';

/**
 * What computes searches. Every method is asynchronous and coarse, and takes and returns handles.
 */
export interface SearchDevice extends TensorMemory, Retriever {}

/** What computes searches and learns. */
export interface Device extends SearchDevice, Learner {
  /** Workers that compute; results do not depend on it. */
  readonly threads: number;
  /** Whether it was closed or has lost a worker: every call rejects. */
  readonly closed: boolean;
  /** Ends the workers; calls under way reject with 'closed'. */
  close(): Promise<void>;
}
