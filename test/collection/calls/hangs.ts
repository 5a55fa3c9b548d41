import type { IndexDocument } from '../../../dist/entry/node.js';
import { randomOf } from '../random-documents.js';

/** Milliseconds after which a call counts as one that never ends. */
export const HANG = 20_000;
export const DIM = 8;
export const LEARN = {
  olsSampleSize: 64,
  finalHiddenDim: 16,
  prefixDim: 8,
  trainSubsetSize: 16,
  epochs: 0,
};
export const never = new Promise<never>(() => {});

const uniform = randomOf(5);
export const documentOf = (id: string): IndexDocument => ({
  id,
  text: `the text of ${id}`,
  tokens: { data: Float32Array.from({ length: 3 * DIM }, () => uniform() - 0.5), dims: [3, DIM] },
});
export const BASE = Array.from({ length: 40 }, (_, i) => documentOf(`a${i}`));
export const QUERY = {
  data: Float32Array.from({ length: DIM }, () => uniform() - 0.5),
  dims: [1, DIM] as const,
};

/** What is asked for and never comes tells `asked`. */
export function asking(): { asked: Promise<void>; hang: () => Promise<never> } {
  let tell = (): void => {};
  const asked = new Promise<void>((resolve) => {
    tell = resolve;
  });
  return {
    asked,
    hang: () => {
      tell();
      return never;
    },
  };
}

export const outcomeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'resolved',
    (error: unknown) => error,
  );
