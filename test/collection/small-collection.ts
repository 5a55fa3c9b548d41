import { matrixOf, randomOf } from './random-documents.js';

export const DIM = 16;
export const LEARN = { olsSampleSize: 256, finalHiddenDim: 64, trainSubsetSize: 64 };
export const query = matrixOf(5, DIM, randomOf(77));
export const threads = 1;

export const rejection = async (
  work: Promise<unknown>,
): Promise<{ code?: string; message: string }> => {
  const error: unknown = await work.then(
    () => new Error('it resolved'),
    (reason: unknown) => reason,
  );
  return error as { code?: string; message: string };
};
