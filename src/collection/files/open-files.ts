import type { SearchDevice } from '../../device/device.js';
import type { Storage } from '../../storage/storage.js';
import { encodingOf } from '../../tokens/encodings.js';
import { openCodes, type SegmentCodes } from './codes-file.js';
import { openDeletions } from './deletions-file.js';
import type { IndexManifest, ModelEntry, SegmentEntry } from './manifest.js';
import { freeModel, type Model, openModel } from './model-file.js';
import { openSegment, type Segment } from './segment.js';

/** A segment with what belongs to it in one state of the collection. */
export interface SegmentView {
  entry: SegmentEntry;
  segment: Segment;
  codes: SegmentCodes | null;
  /** A byte a document, 1 for those that are deleted; null: none is. */
  deleted: Uint8Array | null;
}

/** Everything that one state of the collection refers to, open. */
export interface OpenState {
  segments: SegmentView[];
  model: Model | null;
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

/**
 * Open files shared by the states that refer to them: each is opened once and closed after the last
 * state. A file is what all of its entry says, and what it is opened as: where a collection was
 * made anew, others have the same names.
 */
export function createOpenFiles(
  storage: Storage,
  device: SearchDevice,
): { open(manifest: IndexManifest): Promise<OpenState> } {
  const opened = new Map<
    string,
    { users: number; value: Promise<unknown>; close: (value: never) => Promise<void> | void }
  >();

  const open = async (manifest: IndexManifest): Promise<OpenState> => {
    const taken: string[] = [];
    const take = <T>(
      what: unknown,
      make: () => Promise<T>,
      close: (value: T) => Promise<void> | void,
    ): Promise<T> => {
      const name = JSON.stringify(what);
      const found = opened.get(name) ?? { users: 0, value: make(), close };
      found.users++;
      opened.set(name, found);
      taken.push(name);
      return found.value as Promise<T>;
    };
    const release = async (): Promise<void> => {
      for (const name of taken.splice(0)) {
        const found = opened.get(name);
        if (!found || --found.users > 0) continue;
        opened.delete(name);
        const value = await found.value.catch(() => undefined);
        if (value !== undefined) await found.close(value as never);
      }
    };
    const { dim, precision, model } = manifest;
    const all = manifest.segments.reduce((sum, entry) => sum + entry.documents, 0);
    const resident = model !== null && all * latentDim(model) <= RESIDENT_CODES;
    const width = model && { latentDim: latentDim(model), prefixDim: model.prefix.dim };
    const view = async (entry: SegmentEntry): Promise<SegmentView> => {
      const { file, codes, deleted, documents, tokens } = entry;
      return {
        entry,
        segment: await take(
          { ...file, documents, tokens, dim, precision },
          () => openSegment(storage, device, entry, { encoding: encodingOf(precision), dim }),
          (segment) => segment.close(),
        ),
        codes:
          codes && width
            ? await take(
                { ...codes, documents, width, resident },
                () => openCodes(storage, device, codes, documents, { ...width, resident }),
                (found) => found.close(),
              )
            : null,
        deleted:
          deleted &&
          (await take(
            { ...deleted.file, documents },
            () => openDeletions(storage, deleted.file, documents),
            () => {},
          )),
      };
    };
    try {
      const opened =
        model &&
        (await take(
          { ...model.file, featureMap: model.featureMap, prefix: model.prefix },
          () => openModel(storage, device, model),
          (found) => freeModel(device, found),
        ));
      const segments = new Array<SegmentView>(manifest.segments.length);
      const entries = manifest.segments.entries();
      const lane = async (): Promise<void> => {
        for (const [i, entry] of entries) segments[i] = await view(entry);
      };
      const lanes = await Promise.allSettled(Array.from({ length: AT_ONCE }, lane));
      const failed = lanes.find((result) => result.status === 'rejected');
      if (failed) throw failed.reason;
      return { segments, model: opened, release };
    } catch (error) {
      await release();
      throw error;
    }
  };
  return { open };
}

function latentDim({ featureMap }: ModelEntry): number {
  return featureMap.widths[featureMap.widths.length - 1];
}
