import { HASH_BYTES, type MirrorRecord } from '../metadata/mirror-record.js';
import type { CheckedFile, Sections } from './checked-file.js';

/** What the documents of a segment mirror. */
export interface MirrorTable {
  /** Number of each document's root; -1: it mirrors nothing. */
  readonly roots: Int32Array;
  /** Two hashes of each, of content and rest. */
  readonly hashes: Uint8Array;
}

const WIDTH = 2 * HASH_BYTES;

/** The sections that say so; none where no document mirrors anything. */
export function mirrorSections(
  documents: readonly { readonly mirror?: MirrorRecord | undefined }[],
): Sections {
  if (!documents.some(({ mirror }) => mirror)) return {};
  const roots = Int32Array.from(documents, ({ mirror }) => mirror?.root ?? -1);
  const hashes = new Uint8Array(WIDTH * documents.length);
  for (const [i, { mirror }] of documents.entries()) {
    if (!mirror) continue;
    hashes.set(mirror.content, WIDTH * i);
    hashes.set(mirror.rest, WIDTH * i + HASH_BYTES);
  }
  return {
    roots: { shape: [documents.length], data: roots },
    mirrored: { shape: [documents.length, WIDTH], data: hashes },
  };
}

/** Reads them; null where there are none. Rejects with 'bad-file'. */
export async function readMirrors(
  file: CheckedFile,
  documents: number,
): Promise<MirrorTable | null> {
  if (!file.sections.has('roots')) return null;
  return {
    roots: await file.array<Int32Array>('roots', 'I32', [documents]),
    hashes: await file.array<Uint8Array>('mirrored', 'U8', [documents, WIDTH]),
  };
}

/** What a document mirrors, in a copy; undefined: nothing. */
export function mirrorOf(
  { roots, hashes }: MirrorTable,
  document: number,
): MirrorRecord | undefined {
  if (roots[document] < 0) return undefined;
  const at = WIDTH * document;
  const content = hashes.slice(at, at + HASH_BYTES);
  return { root: roots[document], content, rest: hashes.slice(at + HASH_BYTES, at + WIDTH) };
}
