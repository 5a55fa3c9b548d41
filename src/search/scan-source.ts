import type { Tensor, TensorMaker } from '../device/memory.js';
import type { AllowedDocuments } from './allowed-documents.js';
import type { CandidateQueries, CandidateRequest, CandidateSource } from './candidate-source.js';
import type { TopK } from './top-documents.js';

/** A source that compares features with what is kept of all documents. */
export interface ScanSource extends CandidateSource {
  /** The scores estimate the inner products of features with the documents' weights. */
  candidates(
    queries: Pick<CandidateQueries, 'tokens' | 'features'>,
    k: number,
    request: Omit<CandidateRequest, 'filter'>,
  ): Promise<TopK>;
}

/** Which rows a scan may answer with, on the device; null: all. */
export async function uploadMask(
  scope: TensorMaker,
  allowed: AllowedDocuments,
): Promise<Tensor<'i8'> | null> {
  const mask = allowed.mask();
  return mask && scope.upload('i8', new Int8Array(mask.buffer, mask.byteOffset, mask.length));
}
