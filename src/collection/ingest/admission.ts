import { LemurError } from '../../errors.js';
import { stepPacer } from '../../pacer.js';
import type { Snapshot } from '../files/snapshot.js';
import type { CheckedDocument } from '../metadata/document.js';
import { KnownPaths, notePaths } from '../metadata/metadata-paths.js';
import type { AddOptions } from '../options/options.js';

/** In a stream of documents: what came before is committed before more is asked for. */
export const COMMIT: unique symbol = Symbol('commit');

/** Documents that go into the collection, and where a commit must come between two of them. */
export type AdmittedDocuments = AsyncIterable<CheckedDocument | typeof COMMIT>;

/** Says which documents go into a collection, by the ids and paths of metadata that are there. */
export class Admission {
  readonly #snapshot: () => Snapshot;
  readonly #onExisting: NonNullable<AddOptions['onExisting']>;
  readonly #paths: KnownPaths;
  /** Ids of documents that go in and are not committed. */
  readonly #pending = new Set<string>();

  /** `paths`: those of the metadata in the collection, which are added to. */
  constructor(
    snapshot: () => Snapshot,
    onExisting: NonNullable<AddOptions['onExisting']>,
    paths: KnownPaths,
  ) {
    this.#snapshot = snapshot;
    this.#onExisting = onExisting;
    this.#paths = paths;
  }

  /**
   * Whether a document goes in. Raises 'duplicate-id', and 'invalid-argument' for one path of
   * metadata too many.
   */
  admits({ id, metadata }: CheckedDocument, where = `document ${JSON.stringify(id)}`): boolean {
    const twice = this.#pending.has(id);
    const exists = twice || this.#snapshot().findSource(id).length > 0;
    if (exists && this.#onExisting === 'skip') return false;
    if (exists && this.#onExisting === 'error') throw duplicate(id, twice);
    if (metadata) notePaths(metadata, this.#paths, where);
    this.#pending.add(id);
    return true;
  }

  /** Whether a document replaces one that is not committed yet. */
  replacesPending({ id }: CheckedDocument): boolean {
    return this.#onExisting === 'replace' && this.#pending.has(id);
  }

  /** Notes that documents are in the collection now. */
  committed(ids: readonly string[]): void {
    for (const id of ids) this.#pending.delete(id);
  }
}

/** The documents of a stream that go in; `skipped` is called for each that does not. */
export async function* admitted(
  documents: AsyncIterable<CheckedDocument>,
  admission: Admission,
  skipped: () => void,
): AsyncGenerator<CheckedDocument | typeof COMMIT> {
  for await (const document of documents) {
    if (admission.replacesPending(document)) yield COMMIT;
    if (admission.admits(document)) yield document;
    else skipped();
  }
}

/** Every path of the metadata that is in the collection, of deleted documents too. */
export async function storedPaths(
  { segments }: Snapshot,
  signal: AbortSignal | undefined,
): Promise<KnownPaths> {
  const step = stepPacer(signal);
  const paths = new KnownPaths();
  for (const { segment } of segments) {
    for (const path of segment.columns.paths) if (!paths.has(path)) paths.add(path);
    await step(paths.size / 8);
  }
  return paths;
}

function duplicate(id: string, twice: boolean): LemurError {
  const what = twice ? 'comes twice' : 'is in the collection already';
  const message =
    `the id ${JSON.stringify(id)} ${what}; { onExisting: ` + "'replace' } or 'skip' allow that";
  return new LemurError('duplicate-id', message, { where: 'id', id });
}
