/**
 * Streams of random numbers by what is drawn from them, so that draws of one seed do not resemble
 * each other. The numbers never change: models are found again from their seeds.
 */
export const STREAM = {
  learnTokens: 1,
  trainDocuments: 2,
  validationTokens: 3,
  initialParameters: 4,
  batchOrder: 5,
  solveSample: 6,
  eigenvectors: 7,
  tokenRotation: 8,
  // of a collection, whose tokens are read from storage
  storedLearnTokens: 11,
  storedTrainDocuments: 12,
  storedValidationTokens: 13,
  storedSolveSample: 16,
  learnTexts: 17,
  renewCodec: 18,
  projection: 19,
  heldOutQueries: 21,
  // of what the adviser compares
  adviceDocuments: 22,
  adviceQueries: 23,
  fixedEncoding: 24,
} as const;
