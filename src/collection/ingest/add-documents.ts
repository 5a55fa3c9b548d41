import type { Encoder } from '../../encoder/encoder.js';
import { isLemurError, LemurError } from '../../errors.js';
import type { CutFunction } from '../../passages/passage-rules.js';
import type { CountTokens } from '../../passages/token-counter.js';
import { showValue } from '../../value-kind.js';
import type { Call } from '../calls/calls.js';
import { withCommitted } from '../calls/with-committed.js';
import { codecOf } from '../files/token-codec.js';
import type { Transaction } from '../files/transaction.js';
import type { DocumentModel } from '../learn/document-model.js';
import type { CheckedDocument } from '../metadata/document.js';
import type { KnownPaths } from '../metadata/metadata-paths.js';
import type { MirrorRecord } from '../metadata/mirror-record.js';
import { checkInteger } from '../options/check-options.js';
import type { AddOptions } from '../options/options.js';
import type { Added } from '../options/results.js';
import { Admission, admitted, storedPaths } from './admission.js';
import { cutDocuments } from './cut-documents.js';
import { mergeSmall } from './merge-small.js';
import { prepareSegments } from './prepare-segments.js';
import {
  checkDocuments,
  type DocumentSource,
  type Documents,
  eachDocument,
  readDocuments,
  streamOf,
} from './read-documents.js';
import { type Committed, SegmentCommits } from './segment-commits.js';

/** The options of an add, and what it calls. */
export interface AddRun extends AddOptions {
  readonly encoder: Encoder | undefined;
  /** Cuts texts, where the collection leaves it to a function. */
  readonly cut?: CutFunction | undefined;
  /** Calls the source and the encoder. */
  readonly guard?: Call['guard'] | undefined;
  /** What a document mirrors, by its id. */
  readonly mirrorOf?: ((id: string) => MirrorRecord) | undefined;
  /** The model that gives the documents weights; null where there is none. */
  loadModel(): Promise<DocumentModel | null>;
}

/**
 * Adds documents, segment by segment, each a commit of its own: read, admitted, prepared,
 * committed. Rejects as `Index.add` does.
 */
export async function addDocuments(
  transaction: Transaction,
  documents: Documents,
  run: AddRun,
): Promise<Added> {
  const { onExisting = 'error', signal } = run;
  checkAddOptions(run);
  const source = streamOf(documents);
  const paths = await storedPaths(transaction.snapshot, signal);
  const checked = await openSource(transaction, source, paths, run);
  const admission = new Admission(() => transaction.snapshot, onExisting, paths);
  const total = run.total ?? (Array.isArray(source) ? source.length : 0);
  const progress = new AddProgress(total, run.onProgress);
  const { dim, precision, pooling, passages: rules } = transaction.snapshot.manifest;
  const codec = codecOf(transaction.snapshot.manifest);
  const target = { dim, precision, pooling, encoder: run.encoder, codec };
  try {
    const stream = admitted(
      run.mirrorOf ? mirroring(checked, run.mirrorOf) : checked,
      admission,
      () => progress.skip(),
    );
    const parts = rules
      ? cutDocuments(stream, { rules, cut: run.cut, count: counting(run.encoder, signal) }, signal)
      : stream;
    const commits = new SegmentCommits(transaction, signal);
    const onVectors = (done: number): void => progress.encoded(done);
    for await (const segment of prepareSegments(parts, target, { signal, onVectors })) {
      // where the add before was interrupted: what comes of documents does not depend on that
      if (progress.committed === 0 && commits.isClear) await mergeIfRoom(transaction, signal);
      progress.truncate(segment.truncated);
      const committed = await commits.add(segment, await run.loadModel());
      if (!committed) continue;
      admission.committed(committed.ids);
      progress.commit(committed, rules !== undefined);
      // these documents are committed, whatever becomes of the merging: the next add begins with it
      await mergeSmall(transaction, { signal }).catch(() => transaction.discard());
    }
  } catch (error) {
    throw withCommitted(error, progress.committed, signal);
  }
  return progress.added;
}

/** The documents with what each mirrors. */
async function* mirroring(
  documents: AsyncIterable<CheckedDocument>,
  mirrorOf: (id: string) => MirrorRecord,
): AsyncGenerator<CheckedDocument> {
  for await (const document of documents) yield { ...document, mirror: mirrorOf(document.id) };
}

/** How an encoder counts tokens; undefined: it does not. */
function counting(
  encoder: Encoder | undefined,
  signal: AbortSignal | undefined,
): CountTokens | undefined {
  return encoder?.countTokens && (async (texts) => encoder.countTokens?.(texts, { signal }) ?? []);
}

function checkAddOptions({ onExisting = 'error', total }: AddOptions): void {
  if (!['error', 'skip', 'replace'].includes(onExisting)) {
    const expected = "expected 'error', 'skip' or 'replace'";
    const message = `onExisting: ${expected}, got ${showValue(onExisting)}`;
    throw new LemurError('invalid-argument', message, { where: 'onExisting' });
  }
  if (total !== undefined) checkInteger(total, 'total', 0);
}

/** The documents through the gate: those of an array are all checked before the first is used. */
async function openSource(
  transaction: Transaction,
  source: DocumentSource,
  paths: KnownPaths,
  { onExisting = 'error', encoder, signal, guard }: AddRun,
): Promise<AsyncIterable<CheckedDocument>> {
  const { dim, passages } = transaction.snapshot.manifest;
  const gate = { dim, encodes: encoder !== undefined, cuts: passages !== undefined };
  if (!Array.isArray(source)) return readDocuments(source, gate, { signal, guard });
  const rehearsal = new Admission(() => transaction.snapshot, onExisting, paths.copy());
  const admit = (document: CheckedDocument, where: string): void =>
    void rehearsal.admits(document, where);
  return eachDocument(await checkDocuments(source, gate, admit, signal), signal);
}

/** Counts what becomes of the documents of an add, and tells of it. */
class AddProgress {
  readonly added: Added = { added: 0, replaced: 0, skipped: 0 };
  readonly #total: number;
  readonly #onProgress: AddOptions['onProgress'];

  constructor(total: number, onProgress: AddOptions['onProgress']) {
    this.#total = total;
    this.#onProgress = onProgress;
    this.#report();
  }

  /** Documents that are safe. */
  get committed(): number {
    return this.added.added + this.added.replaced;
  }

  skip(): void {
    this.added.skipped++;
    this.#report();
  }

  /** Documents that have token vectors: known sooner than what is safe. */
  encoded(done: number): void {
    this.#onProgress?.({ stage: 'encode', done, total: this.#total });
  }

  truncate(texts: number): void {
    if (texts > 0) this.added.truncated = (this.added.truncated ?? 0) + texts;
  }

  commit({ ids, replaced, parts }: Committed, cut: boolean): void {
    this.added.added += ids.length - replaced;
    this.added.replaced += replaced;
    if (cut) this.added.passages = (this.added.passages ?? 0) + parts;
    this.#report();
  }

  #report(): void {
    const done = this.committed + this.added.skipped;
    this.#onProgress?.({ stage: 'add', done, total: this.#total });
  }
}

/** A disk may be too full for merging and have room for what is added. */
async function mergeIfRoom(
  transaction: Transaction,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await mergeSmall(transaction, { signal });
  } catch (error) {
    if (!isLemurError(error, 'storage-failed')) throw error;
    await transaction.discard();
  }
}
