import type { BeirDocument } from '../formats/beir.js';
import type { IndexDocument } from '../index/document.js';
import type { Added, AddOptions } from '../index/options.js';
import type { RunOptions } from '../run-options.js';
import type { Context } from './context.js';
import { indexDocument } from './document-text.js';
import { groups } from './groups.js';
import type { OpenedIndex } from './open-index.js';
import type { Source, VectorSource } from './source.js';

export interface AddDocumentsOptions {
  onExisting: AddOptions['onExisting'];
  /** Whether `features: 'auto'` may fit random features at the end. */
  fit: boolean;
}

/** Adds what the source holds, with a bar. Texts are committed a second's work at a time, vectors segment by segment. */
export async function addDocuments(
  opened: OpenedIndex,
  source: Source,
  { onExisting, fit }: AddDocumentsOptions,
  { signal, reporter }: Context,
): Promise<Added> {
  const { index } = opened;
  const { value } = await reporter.step('add documents', async (onProgress) => {
    const run: AddOptions = { onExisting, fit: false, signal };
    const added =
      source.kind === 'vectors'
        ? await index.add(vectorDocuments(source), { ...run, total: source.tokens.counts.length, onProgress })
        : await addTexts(opened, source.documents, source.total ?? 0, run, onProgress);
    const { unfit } = fit ? await index.add([], { signal, onProgress }) : {};
    if (unfit !== undefined) added.unfit = unfit;
    return added;
  });
  return value;
}

/** Counts what has been encoded, which is known sooner than what is safe. */
async function addTexts(
  { index, encoder }: OpenedIndex,
  documents: AsyncIterable<BeirDocument>,
  total: number,
  run: AddOptions,
  onProgress: NonNullable<RunOptions['onProgress']>,
): Promise<Added> {
  const sum: Added = { added: 0, replaced: 0, skipped: 0 };
  const report = (more: number): void => {
    const done = sum.added + sum.replaced + sum.skipped + more;
    onProgress({ stage: 'add', done, total: Math.max(total, total && done) });
  };
  report(0);
  for await (const group of groups(documents)) {
    let before = 0;
    if (encoder)
      encoder.watch = (texts, done) => {
        report(before + done);
        if (done === texts) before += texts;
      };
    const added = await index.add(group.map(indexDocument), run);
    for (const what of ['added', 'replaced', 'skipped'] as const) sum[what] += added[what];
    if (added.truncated) sum.truncated = (sum.truncated ?? 0) + added.truncated;
    report(0);
  }
  return sum;
}

function* vectorDocuments({ documents, tokens }: VectorSource): Generator<IndexDocument> {
  const { vectors, counts, offsets, dim } = tokens;
  for (const [i, document] of documents.entries()) {
    const data = vectors.subarray(offsets[i] * dim, offsets[i + 1] * dim);
    yield { ...indexDocument(document), tokens: { data, dims: [counts[i], dim] } };
  }
}
