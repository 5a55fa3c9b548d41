import { stepPacer } from '../../pacer.js';
import type { SegmentEntry } from '../files/manifest.js';
import { type Snapshot, STEPS_AN_ID } from '../files/snapshot.js';
import { withCodec } from '../files/token-codec.js';
import type { Transaction } from '../files/transaction.js';
import type { DocumentModel } from '../learn/document-model.js';
import { sourceIdOf } from '../metadata/passage-record.js';
import { withDeleted } from './delete-documents.js';
import type { PreparedSegment } from './prepare-segments.js';
import { writeNewSegment } from './write-segment.js';

/** What a commit has brought. */
export interface Committed {
  /** Documents that are safe now. */
  readonly ids: readonly string[];
  /** How many of them took the place of one with their id. */
  readonly replaced: number;
  /** What they are stored as: themselves, or their passages. */
  readonly parts: number;
}

/**
 * Writes segments as they come, and commits them in place of what their documents replace, each
 * where no document goes on in the next one.
 */
export class SegmentCommits {
  readonly #transaction: Transaction;
  readonly #signal: AbortSignal | undefined;
  /** Written and not committed. */
  #entries: SegmentEntry[] = [];
  #ids = new Set<string>();
  #parts = 0;

  constructor(transaction: Transaction, signal: AbortSignal | undefined) {
    this.#transaction = transaction;
    this.#signal = signal;
  }

  /** Whether nothing is written that is not committed. */
  get isClear(): boolean {
    return this.#entries.length === 0;
  }

  /** Returns what is safe now; undefined: nothing more, since a document goes on. */
  async add(
    { documents, codec, quantizationError, goesOn }: PreparedSegment,
    model: DocumentModel | null,
  ): Promise<Committed | undefined> {
    const signal = this.#signal;
    const transaction = this.#transaction;
    for (const { id, passage } of documents) this.#ids.add(passage ? sourceIdOf(id) : id);
    this.#parts += documents.length;
    // merging gives documents other numbers
    const old = goesOn ? undefined : await storedOf(transaction.snapshot, this.#ids, signal);
    this.#entries.push(
      await writeNewSegment(transaction, documents, model, codec, quantizationError, { signal }),
    );
    if (!old) return undefined;
    const segments: SegmentEntry[] =
      old.documents.length > 0
        ? await withDeleted(transaction, old.documents)
        : transaction.snapshot.manifest.segments;
    signal?.throwIfAborted();
    const entries = this.#entries;
    await transaction.commit((manifest) => ({
      ...withCodec(manifest, codec),
      segments: [...segments, ...entries],
    }));
    const committed = { ids: [...this.#ids], replaced: old.ids, parts: this.#parts };
    this.#entries = [];
    this.#ids = new Set();
    this.#parts = 0;
    return committed;
  }
}

/** What is stored under these ids, passages and all, and how many of the ids are there. */
async function storedOf(
  snapshot: Snapshot,
  ids: Iterable<string>,
  signal: AbortSignal | undefined,
): Promise<{ documents: number[]; ids: number }> {
  const step = stepPacer(signal);
  const found: number[] = [];
  let there = 0;
  for (const id of ids) {
    const documents = snapshot.findSource(id);
    if (documents.length > 0) there++;
    for (const document of documents) found.push(document);
    const wait = step(STEPS_AN_ID + snapshot.segments.length + documents.length);
    if (wait) await wait;
  }
  return { documents: found, ids: there };
}
