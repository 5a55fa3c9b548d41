import type { WeightBasis } from '../../learn/reduction.js';
import type { QueryModel } from '../files/model-file.js';

/** A collection's model with what gives documents weights and codes by it. */
export interface DocumentModel extends QueryModel, WeightBasis {
  /**
   * Length of a typical document's longest token vector; undefined in models of earlier versions.
   */
  readonly length: number | undefined;
}
