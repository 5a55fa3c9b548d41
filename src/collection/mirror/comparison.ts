import { invalidArgument, isLemurError, LemurError } from '../../errors.js';
import { describeKind } from '../../value-kind.js';
import type { Snapshot } from '../files/snapshot.js';
import { checkId } from '../metadata/document.js';
import type { Metadata } from '../metadata/metadata.js';
import type { MirrorRecord } from '../metadata/mirror-record.js';
import { MOST_SOURCE_BYTES } from '../metadata/passage-record.js';
import type { Change } from './change.js';
import { hexOf, keptHash } from './hash.js';
import type { KnownRoot } from './known-root.js';
import type { MirrorDocument, MirrorSource } from './mirror-source.js';
import { recordedElsewhere } from './overlap.js';
import type { Recorded } from './recorded.js';

/** A collection and a source. */
interface Compared<M extends Metadata> {
  readonly snapshot: Snapshot;
  readonly recorded: Recorded;
  readonly root: KnownRoot;
  readonly source: MirrorSource<M>;
  /** Whether all counts as changed. */
  readonly anew: boolean;
}

/** What there is of a source beside what a collection has recorded of it. */
export class Comparison<M extends Metadata> {
  readonly changes: Change<M>[] = [];
  unchanged = 0;
  /** Those that cannot be read now. */
  kept = 0;
  /** Those that the collection does not take. */
  refused = 0;
  /** A byte a document of the collection, 1 for those that are there. */
  readonly seen: Uint8Array;
  readonly #new = new Set<string>();
  readonly #of: Compared<M>;

  constructor(of: Compared<M>) {
    this.#of = of;
    this.seen = new Uint8Array(of.snapshot.documents);
  }

  get listed(): number {
    return this.changes.length + this.unchanged + this.kept + this.refused;
  }

  get isEmpty(): boolean {
    return this.changes.length + this.unchanged === 0;
  }

  /** Rejects with 'invalid-argument' and 'duplicate-id', unless the source takes these. */
  async add(document: MirrorDocument<M>): Promise<void> {
    try {
      await this.#compare(document);
    } catch (error) {
      const { source } = this.#of;
      if (!source.refuse || !isLemurError(error)) throw error;
      // one word about all of them, not one about each
      if (error.fields.where === this.#of.root.entry.root) throw error;
      this.refused++;
      source.refuse(String(document.id), error);
    }
  }

  async #compare(document: MirrorDocument<M>): Promise<void> {
    if (typeof document !== 'object' || document === null)
      throw invalidArgument('source', `expected documents, got ${describeKind(document)}`);
    checkId(document.id, 'source: id');
    const { snapshot, recorded, root, anew } = this.#of;
    const id = root.entry.prefix + document.id;
    checkId(id, 'source: id', MOST_SOURCE_BYTES);
    const stored = snapshot.findSource(id);
    const record = stored.length > 0 ? recorded.of(stored[0]) : undefined;
    if (record?.root !== root.number) this.#checkElsewhere(document.id);
    checkOwner(id, record, root.number, snapshot);
    if (this.#new.has(id) || (stored.length > 0 && this.seen[stored[0]]))
      throw duplicate(id, 'comes twice');
    for (const number of stored) this.seen[number] = 1;
    if (document.keep) {
      this.kept++;
      return;
    }
    const { content, rest } = await hashesOf(document);
    const isSame = record !== undefined && hexOf(record.content) === content;
    const sameText = isSame && !anew;
    if (sameText && hexOf(record.rest) === rest) {
      this.unchanged++;
      return;
    }
    if (stored.length === 0) this.#new.add(id);
    this.changes.push({
      kind: stored.length > 0 ? 'updated' : 'added',
      id,
      content,
      rest,
      from: sameText ? id : undefined,
      read: document.read && (() => document.read?.() ?? Promise.resolve(undefined)),
    });
  }

  /**
   * Raises 'duplicate-id' for a file that the collection has from a root around this one, or within
   * it; 'invalid-argument' where this one is new, and lies in the other.
   */
  #checkElsewhere(own: string): void {
    const { snapshot, recorded, root } = this.#of;
    const found = recordedElsewhere(own, root.overlaps, snapshot, recorded);
    if (!found) return;
    const { root: other } = found.root.entry;
    if (!root.isNew || !found.root.isAround) throw duplicate(found.id, inAlready(other));
    const problem =
      `the collection is kept in step with ${other} already, which this lies in: ` +
      'give that one again';
    throw invalidArgument(root.entry.root, problem);
  }
}

/** The hashes that are kept of a document. Rejects with 'invalid-argument'. */
export async function hashesOf(
  document: MirrorDocument,
): Promise<{ content: string; rest: string }> {
  const { id, text, metadata, hash, metadataHash } = document;
  const given = hash ?? text;
  if (typeof given !== 'string' || (text === undefined && !document.read)) {
    const expected = 'expected a text, or read and a hash';
    throw invalidArgument(`source: document ${JSON.stringify(id)}`, expected);
  }
  return {
    content: await keptHash(hash ?? `text ${text}`),
    rest: await keptHash(metadataHash ?? `metadata ${JSON.stringify(metadata ?? null)}`),
  };
}

/** Raises 'duplicate-id' for a document of another root. */
export function checkOwner(
  id: string,
  record: MirrorRecord | undefined,
  root: number,
  { manifest }: Pick<Snapshot, 'manifest'>,
): void {
  if (!record || record.root === root) return;
  const other = manifest.roots?.[record.root]?.root ?? 'another root';
  throw duplicate(id, inAlready(other));
}

function inAlready(root: string): string {
  return `is in the collection already, from ${root}`;
}

function duplicate(id: string, what: string): LemurError {
  return new LemurError('duplicate-id', `the id ${JSON.stringify(id)} ${what}`, {
    where: 'id',
    id,
  });
}
