import type { DeviceFeatureMap } from '../device/device-feature-map.js';
import type { DeviceTokens } from '../device/device-tokens.js';
import type { Tensor, TensorMaker } from '../device/memory.js';
import type { AllowedDocuments } from './allowed-documents.js';
import type { CandidateQueries, CandidateRequest, CandidateSource } from './candidate-source.js';
import type { TopK } from './top-documents.js';

/** Queries whose features a scan reads on the device. */
export interface ScanQueries extends CandidateQueries {
  /** Sums of the features of each query's tokens, queries x d'. */
  featureTensor(): Promise<Tensor<'f32'>>;
  /** What makes features. Raises 'unsupported' where nothing has been learned. */
  featureMap(): DeviceFeatureMap;
  /** Their token vectors on the device. */
  uploaded(): Promise<DeviceTokens>;
}

/** A source that compares features with what is kept of all documents. */
export interface ScanSource extends Pick<CandidateSource, 'name'> {
  /** The scores estimate the inner products of features with the documents' weights. */
  candidates(
    queries: ScanQueries,
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
