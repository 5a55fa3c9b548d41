import type { Encoder } from '../../encoder/encoder.js';
import { isLemurError, LemurError } from '../../errors.js';
import { stepPacer } from '../../pacer.js';
import { tokenRows } from '../../tokens/token-sets.js';
import { describeKind, showValue } from '../../value-kind.js';
import type { Call } from '../calls/calls.js';
import type { SegmentEntry } from '../files/manifest.js';
import { type Snapshot, STEPS_AN_ID } from '../files/snapshot.js';
import type { Store } from '../files/store.js';
import { codecOf, withCodec } from '../files/token-codec.js';
import type { WeightsModel } from '../learn/document-codes.js';
import { type CheckedDocument, checkDocument, type IndexDocument } from '../metadata/document.js';
import { countValues, notePaths } from '../metadata/metadata-paths.js';
import { checkInteger } from '../options/check-options.js';
import type { Added, AddOptions } from '../options/options.js';
import { withDeleted } from './delete-documents.js';
import { type PreparedSegment, prepareSegments } from './ingest.js';
import { mergeSmall } from './merge.js';
import { writeNewSegment } from './write-segment.js';

export type Documents = IndexDocument | Iterable<IndexDocument> | AsyncIterable<IndexDocument>;

/** Adds documents, segment by segment, each a commit of its own. */
export async function addDocuments(
  store: Store,
  documents: Documents,
  encoder: Encoder | undefined,
  loadModel: () => Promise<WeightsModel | null>,
  {
    onExisting = 'error',
    total,
    signal,
    onProgress,
    guard,
  }: AddOptions & { guard?: Call['guard'] | undefined },
): Promise<Added> {
  if (!['error', 'skip', 'replace'].includes(onExisting)) {
    const message = `onExisting: expected 'error', 'skip' or 'replace', got ${showValue(onExisting)}`;
    throw new LemurError('invalid-argument', message, { where: 'onExisting' });
  }
  if (total !== undefined) checkInteger(total, 'total', 0);
  const { dim, precision, pooling } = store.snapshot.manifest;
  const given = listOf(documents);
  const known = total ?? (Array.isArray(given) ? given.length : 0);
  const paths = await pathsOf(store.snapshot, signal);
  if (Array.isArray(given))
    await checkAll(
      store,
      given,
      { dim, encodes: encoder !== undefined },
      onExisting,
      new Set(paths),
      signal,
    );

  const result: Added = { added: 0, replaced: 0, skipped: 0 };
  /** Ids of documents that have passed the gate and are not committed. */
  const pending = new Set<string>();
  const report = (): void =>
    onProgress?.({
      stage: 'add',
      done: result.added + result.replaced + result.skipped,
      total: known,
    });
  const wanted = ({ id, metadata }: CheckedDocument): boolean | 'flush' => {
    const there = store.snapshot.find(id);
    if (onExisting === 'skip' && (there >= 0 || pending.has(id))) {
      result.skipped++;
      report();
      return false;
    }
    if (onExisting === 'error' && (there >= 0 || pending.has(id)))
      throw duplicate(id, pending.has(id));
    if (metadata) notePaths(metadata, paths, `document ${JSON.stringify(id)}`);
    if (pending.has(id)) return 'flush';
    pending.add(id);
    return true;
  };
  /** Documents that have been encoded, or came with vectors: known sooner than what is safe. */
  const prepared = (done: number): void => onProgress?.({ stage: 'encode', done, total: known });
  report();
  const target = {
    dim,
    precision,
    pooling,
    encoder,
    codec: codecOf(store.snapshot.manifest),
  };
  try {
    for await (const segment of prepareSegments(given, wanted, target, {
      signal,
      guard,
      prepared,
    })) {
      // where the add before was interrupted: what comes of documents does not depend on that
      if (result.added + result.replaced === 0) await mergeIfRoom(store, signal);
      const ids = segment.documents.map(({ id }) => id);
      // merging gives documents other numbers
      const old = await documentsOf(store.snapshot, ids, signal);
      await commitSegment(store, segment, old, await loadModel(), signal);
      result.added += segment.documents.length - old.length;
      result.replaced += old.length;
      if (segment.truncated > 0) result.truncated = (result.truncated ?? 0) + segment.truncated;
      for (const id of ids) pending.delete(id);
      report();
      // these documents are committed, whatever becomes of the merging: the next add begins with it
      await mergeSmall(store, { signal }).catch(() => store.discard());
    }
  } catch (error) {
    throw withCommitted(error, result.added + result.replaced, signal);
  }
  return result;
}

/**
 * The error, with how many documents are safe. A caller's own error, or reason for the signal,
 * stays what it is.
 */
export function withCommitted(
  error: unknown,
  committed: number,
  signal: AbortSignal | undefined,
): unknown {
  if (!isLemurError(error) || (error === signal?.reason && error.code !== 'closed')) return error;
  const { code, message, fields, cause, stack } = error;
  const counted = new LemurError(
    code,
    message,
    fields,
    cause === undefined ? { committed } : { cause, committed },
  );
  if (stack !== undefined) counted.stack = stack;
  return counted;
}

/** A disk may be too full for merging and have room for what is added. */
async function mergeIfRoom(store: Store, signal: AbortSignal | undefined): Promise<void> {
  try {
    await mergeSmall(store, { signal });
  } catch (error) {
    if (!isLemurError(error, 'storage-failed')) throw error;
    await store.discard();
  }
}

/** Numbers of the documents that have these ids, of those that are there. */
async function documentsOf(
  snapshot: Snapshot,
  ids: readonly string[],
  signal: AbortSignal | undefined,
): Promise<number[]> {
  const step = stepPacer(signal);
  const found: number[] = [];
  for (const id of ids) {
    const document = snapshot.find(id);
    if (document >= 0) found.push(document);
    const wait = step(STEPS_AN_ID + snapshot.segments.length);
    if (wait) await wait;
  }
  return found;
}

async function commitSegment(
  store: Store,
  { documents, codec, quantizationError }: PreparedSegment,
  old: readonly number[],
  model: WeightsModel | null,
  signal: AbortSignal | undefined,
): Promise<void> {
  const entry = await writeNewSegment(store, documents, model, codec, quantizationError, {
    signal,
  });
  const segments: SegmentEntry[] =
    old.length > 0 ? await withDeleted(store, old) : store.snapshot.manifest.segments;
  signal?.throwIfAborted();
  await store.commit((manifest) => ({
    ...withCodec(manifest, codec),
    segments: [...segments, entry],
  }));
}

/** One document, an array, or what gives them one by one. */
function listOf(
  documents: Documents,
): IndexDocument[] | Iterable<IndexDocument> | AsyncIterable<IndexDocument> {
  if (Array.isArray(documents)) return documents;
  if (typeof documents !== 'object' || documents === null || ArrayBuffer.isView(documents)) {
    const message = `documents: expected a document, an array or an iterable of documents, got ${describeKind(documents)}`;
    throw new LemurError('invalid-argument', message, { where: 'documents' });
  }
  if (
    typeof documents === 'object' &&
    documents !== null &&
    (Symbol.iterator in documents || Symbol.asyncIterator in documents)
  )
    return documents;
  return [documents as IndexDocument];
}

/** Every path of the metadata that is in the collection, of deleted documents too. */
async function pathsOf(
  { segments }: Snapshot,
  signal: AbortSignal | undefined,
): Promise<Set<string>> {
  const step = stepPacer(signal);
  const paths = new Set<string>();
  for (const { segment } of segments) {
    for (const path of segment.columns.paths) paths.add(path);
    await step(paths.size / 8);
  }
  return paths;
}

/**
 * Everything about an array that can be wrong before its texts are encoded. `paths` are those of
 * the metadata that is there, to be added to.
 */
async function checkAll(
  store: Store,
  documents: readonly IndexDocument[],
  gate: { dim: number; encodes: boolean },
  onExisting: AddOptions['onExisting'],
  paths: Set<string>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const step = stepPacer(signal);
  const seen = new Set<string>();
  for (const [i, document] of documents.entries()) {
    const where = `documents[${i}]`;
    const { id, metadata, tokens } = checkDocument(document, where, gate);
    const there = seen.has(id) || store.snapshot.find(id) >= 0;
    if (onExisting === 'error' && there) throw duplicate(id, seen.has(id));
    if (metadata && !(onExisting === 'skip' && there)) notePaths(metadata, paths, where);
    if (tokens) await tokenRows(tokens, `${where} (${JSON.stringify(id)}).tokens`, signal);
    seen.add(id);
    await step(STEPS_A_DOCUMENT + countValues(metadata));
  }
}

/**
 * What a document counts as among the steps between two turns of the event loop, besides its
 * metadata's values.
 */
const STEPS_A_DOCUMENT = 16;

function duplicate(id: string, twice: boolean): LemurError {
  const what = twice ? 'comes twice' : 'is in the collection already';
  const message = `the id ${JSON.stringify(id)} ${what}; { onExisting: 'replace' } or 'skip' allow that`;
  return new LemurError('duplicate-id', message, { where: 'id', id });
}
