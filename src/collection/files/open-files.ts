import type { SearchDevice } from '../../device/device.js';
import type { ReadableStorage } from '../../storage/storage.js';
import { encodingOf } from '../../tokens/encodings.js';
import { openCodes, type SegmentCodes } from './codes-file.js';
import { openDeletions } from './deletions-file.js';
import { openKeywords, type SegmentKeywords } from './keywords-file.js';
import type { FileEntry, IndexManifest, ModelEntry, SegmentEntry } from './manifest.js';
import { freeModel, openModel, type QueryModel } from './model-file.js';
import { RowCache } from './row-cache.js';
import { openSegment, type Segment } from './segment.js';

/** A segment with what belongs to it in one state of the collection. */
export interface SegmentView {
  entry: SegmentEntry;
  segment: Segment;
  codes: SegmentCodes | null;
  /** Which words its texts have; null: none, or nobody has looked. */
  keywords: SegmentKeywords | null;
  /** A byte a document, 1 for those that are deleted; null: none is. */
  deleted: Uint8Array | null;
}

/** Everything that one state of the collection refers to, open. */
export interface OpenState {
  segments: SegmentView[];
  model: QueryModel | null;
  /** Gives back what was opened; what no other state uses is closed. */
  release(): Promise<void>;
}

/**
 * Bytes of full codes that are held in memory: of larger collections a query reads those of its
 * best documents.
 */
const RESIDENT_CODES = 128 * 1024 * 1024;
/** Files opened at a time. */
const AT_ONCE = 8;

/** A file that some states have open. */
interface Shared {
  users: number;
  value: Promise<unknown>;
  close: (value: never) => Promise<void> | void;
}

/**
 * Open files shared by the states that refer to them: each is opened once and closed after the last
 * state. A file is what all of its entry says, and what it is opened as: where a collection was
 * made anew, others have the same names.
 */
export class OpenFiles {
  readonly #storage: ReadableStorage;
  readonly #device: SearchDevice;
  readonly #cache: RowCache;
  readonly #shared = new Map<string, Shared>();

  constructor(storage: ReadableStorage, device: SearchDevice, cacheBytes: number) {
    this.#storage = storage;
    this.#device = device;
    this.#cache = new RowCache(device, cacheBytes);
  }

  /** Opens what a manifest refers to. Rejects with 'not-found' and 'bad-file'. */
  async open(manifest: IndexManifest): Promise<OpenState> {
    /** Of this state. */
    const taken: string[] = [];
    const take: Take = (what, make, close) => {
      const name = JSON.stringify(what);
      const found = this.#shared.get(name) ?? { users: 0, value: make(), close };
      found.users++;
      this.#shared.set(name, found);
      taken.push(name);
      return found.value as ReturnType<typeof make>;
    };
    const release = (): Promise<void> => this.#release(taken.splice(0));
    try {
      const model = manifest.model && (await this.#openModel(manifest.model, take));
      const segments = new Array<SegmentView>(manifest.segments.length);
      const entries = manifest.segments.entries();
      const lane = async (): Promise<void> => {
        for (const [i, entry] of entries) segments[i] = await this.#openView(manifest, entry, take);
      };
      const lanes = await Promise.allSettled(Array.from({ length: AT_ONCE }, lane));
      const failed = lanes.find((result) => result.status === 'rejected');
      if (failed) throw failed.reason;
      await this.#cache.share();
      return { segments, model, release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  async #openView(manifest: IndexManifest, entry: SegmentEntry, take: Take): Promise<SegmentView> {
    const { dim, precision } = manifest;
    const { file, codes, deleted, keywords, documents, tokens } = entry;
    const layout = { encoding: encodingOf(precision), dim };
    return {
      entry,
      segment: await take(
        { ...file, documents, tokens, dim, precision },
        async () => {
          const segment = await openSegment(this.#storage, this.#device, entry, layout);
          this.#cache.add('tokens', segment.tokenRows);
          return segment;
        },
        (segment) => {
          this.#cache.remove(segment.tokenRows);
          return segment.close();
        },
      ),
      codes: codes && (await this.#openCodes(manifest, codes, documents, take)),
      keywords: keywords
        ? await take(
            { ...keywords.file, documents },
            () => openKeywords(this.#storage, keywords.file, documents),
            (found) => found.close(),
          )
        : null,
      deleted:
        deleted &&
        (await take(
          { ...deleted.file, documents },
          () => openDeletions(this.#storage, deleted.file, documents),
          () => {},
        )),
    };
  }

  async #openCodes(
    { model, segments }: IndexManifest,
    codes: FileEntry,
    documents: number,
    take: Take,
  ): Promise<SegmentCodes | null> {
    if (!model) return null;
    const all = segments.reduce((sum, entry) => sum + entry.documents, 0);
    const resident = all * latentDim(model) <= RESIDENT_CODES;
    const shape = { latentDim: latentDim(model), prefixDim: model.prefix.dim, resident };
    return take(
      { ...codes, documents, shape },
      async () => {
        const found = await openCodes(this.#storage, this.#device, codes, documents, shape);
        if (!resident) this.#cache.add('codes', found.fullRows);
        return found;
      },
      (found) => {
        this.#cache.remove(found.fullRows);
        return found.close();
      },
    );
  }

  #openModel(model: ModelEntry, take: Take): Promise<QueryModel> {
    return take(
      { ...model.file, featureMap: model.featureMap, prefix: model.prefix },
      () => openModel(this.#storage, this.#device, model),
      (found) => freeModel(this.#device, found),
    );
  }

  /** Closes what no state uses any more. */
  async #release(names: readonly string[]): Promise<void> {
    for (const name of names) {
      const found = this.#shared.get(name);
      if (!found || --found.users > 0) continue;
      this.#shared.delete(name);
      const value = await found.value.catch(() => undefined);
      if (value !== undefined) await found.close(value as never);
    }
    await this.#cache.share();
  }
}

/** A file as `what` says: opened by `make`, unless another state has it open. */
type Take = <T>(
  what: unknown,
  make: () => Promise<T>,
  close: (value: T) => Promise<void> | void,
) => Promise<T>;

function latentDim({ featureMap }: ModelEntry): number {
  return featureMap.widths[featureMap.widths.length - 1];
}
