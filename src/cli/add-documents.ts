import { onAbort } from '../abortable.js';
import type { Index } from '../collection/index.js';
import type { IndexDocument } from '../collection/metadata/document.js';
import type { AddOptions } from '../collection/options/options.js';
import type { Added } from '../collection/options/results.js';
import type { BeirDocument } from '../formats/texts/beir.js';
import type { RunOptions } from '../run-options.js';
import type { Context } from './context.js';
import { indexDocument } from './document-text.js';
import { groups } from './groups.js';
import { narrowWhenDue } from './narrow.js';
import type { OpenedIndex } from './open-index.js';
import type { Source, VectorSource } from './source.js';

type OnProgress = NonNullable<RunOptions['onProgress']>;

export interface AddDocumentsOptions {
  onExisting: AddOptions['onExisting'];
  /** Whether `features: 'auto'` may fit random features at the end. */
  fit: boolean;
}

/**
 * Token vectors that are committed together: float32 values, and documents, whose weights may have
 * to be found.
 */
const MOST = { values: 4 * 1024 * 1024, documents: 2048 };
/** How long what is under way may take when Ctrl-C comes. */
const GRACE_MS = 2000;

/**
 * Adds what the source holds, with a bar, a second's work at a time, each a commit of its own: what
 * the signal interrupts is finished where that takes no more than two seconds. Rejects with the
 * signal's reason then.
 */
export async function addDocuments(
  opened: OpenedIndex,
  source: Source,
  { onExisting, fit }: AddDocumentsOptions,
  { signal, reporter }: Context,
): Promise<Added> {
  const { index } = opened;
  const { value } = await reporter.step('add documents', async (onProgress) => {
    const patient = delayed(signal);
    try {
      const run = { onExisting, fit: false, signal: patient.signal };
      const added =
        source.kind === 'vectors'
          ? await addGroups(
              index,
              vectorGroups(source),
              source.tokens.counts.length,
              run,
              signal,
              onProgress,
            )
          : await addTexts(opened, source.documents, source.total ?? 0, run, signal, onProgress);
      const { unfit } = fit ? await index.add([], { signal, onProgress }) : {};
      if (unfit !== undefined) added.unfit = unfit;
      return added;
    } finally {
      patient.end();
    }
  });
  return value;
}

/** Aborts some time after another signal. */
export function delayed(signal: AbortSignal): { signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const forget = onAbort(signal, () => {
    timer = setTimeout(() => controller.abort(signal.reason), GRACE_MS);
  });
  const end = (): void => {
    forget();
    clearTimeout(timer);
  };
  return { signal: controller.signal, end };
}

/** Counts what has been encoded, which is known sooner than what is safe. */
async function addTexts(
  opened: OpenedIndex,
  documents: AsyncIterable<BeirDocument>,
  total: number,
  run: AddOptions,
  interruption: AbortSignal,
  onProgress: OnProgress,
): Promise<Added> {
  const cut = opened.index.stats().passages !== null;
  const encoded = async function* (): AsyncGenerator<IndexDocument[], void, undefined> {
    const narrow = { signal: interruption, onProgress };
    let wide = await narrowWhenDue(opened, narrow);
    for await (const group of groups(documents, interruption, cut ? Infinity : undefined)) {
      yield group.map(indexDocument);
      if (wide) wide = await narrowWhenDue(opened, narrow);
    }
  };
  let reportDocuments = (_done: number): void => {};
  const watch = (report: (more: number) => void): void => {
    let before = 0;
    reportDocuments = report;
    // of passages the encoder does not know whose they are
    if (opened.encoder && !cut)
      opened.encoder.watch = (texts, done) => {
        report(before + done);
        if (done === texts) before += texts;
      };
  };
  const ofDocuments: OnProgress = ({ stage, done }) => stage === 'encode' && reportDocuments(done);
  const watched = cut ? { ...run, onProgress: ofDocuments } : run;
  return addGroups(opened.index, encoded(), total, watched, interruption, onProgress, watch);
}

/**
 * Adds groups one after the other until the interruption. `begin` is told how to report what is
 * under way in each.
 */
async function addGroups(
  index: Index,
  documents: Iterable<IndexDocument[]> | AsyncIterable<IndexDocument[]>,
  total: number,
  run: AddOptions,
  interruption: AbortSignal,
  onProgress: OnProgress,
  begin: (report: (more: number) => void) => void = () => {},
): Promise<Added> {
  const sum: Added = { added: 0, replaced: 0, skipped: 0 };
  const report = (more: number): void => {
    const done = sum.added + sum.replaced + sum.skipped + more;
    onProgress({ stage: 'add', done, total: Math.max(total, total && done) });
  };
  report(0);
  for await (const group of documents) {
    begin(report);
    const added = await index.add(group, run);
    if (added.passages) sum.passages = (sum.passages ?? 0) + added.passages;
    for (const what of ['added', 'replaced', 'skipped'] as const) sum[what] += added[what];
    if (added.truncated) sum.truncated = (sum.truncated ?? 0) + added.truncated;
    report(0);
    interruption.throwIfAborted();
  }
  interruption.throwIfAborted();
  return sum;
}

function* vectorGroups({ documents, tokens }: VectorSource): Generator<IndexDocument[]> {
  const { vectors, counts, offsets, dim } = tokens;
  let group: IndexDocument[] = [];
  let values = 0;
  for (const [i, document] of documents.entries()) {
    const data = vectors.subarray(offsets[i] * dim, offsets[i + 1] * dim);
    group.push({ ...indexDocument(document), tokens: { data, dims: [counts[i], dim] } });
    values += data.length;
    if (values < MOST.values && group.length < MOST.documents) continue;
    yield group;
    group = [];
    values = 0;
  }
  if (group.length > 0) yield group;
}
