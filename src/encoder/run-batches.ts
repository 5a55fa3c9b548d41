import { abortable } from '../abortable.js';
import type { RunOptions } from '../run-options.js';
import { type TextBatch, textBatches } from './batches.js';
import type { BodyOutput, BodyRunner } from './runtime/body.js';
import type { ArrangedText } from './text/recipe.js';

/** Batches under way: while one is placed the next one runs. */
const BATCHES_AT_ONCE = 2;

/**
 * Runs texts through the body, those of a length together; `place` takes what comes of each batch.
 * Rejects with the first failure, after which no batch begins, or the signal's reason.
 */
export async function runBatches(
  runner: BodyRunner,
  texts: readonly ArrangedText[],
  pooled: boolean,
  place: (batch: TextBatch, output: BodyOutput) => void,
  { signal, onProgress }: RunOptions,
): Promise<void> {
  // one iterator for all: each takes the next batch
  const batches = textBatches(texts, runner.batchTokens).values();
  let done = 0;
  let failed = false;
  const report = (): void => onProgress?.({ stage: 'encode', done, total: texts.length });
  report();
  const takeBatches = async (): Promise<void> => {
    try {
      for (const batch of batches) {
        signal?.throwIfAborted();
        if (failed) return;
        place(batch, await abortable(runner.run(batch, pooled), signal));
        done += batch.texts.length;
        if (!failed) report();
      }
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, takeBatches));
  signal?.throwIfAborted();
}
