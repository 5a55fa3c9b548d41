import type { LemurError } from '../errors.js';
import type { PassageOptions } from '../passages/passage-rules.js';
import type { SkipReason } from './node-folder-walk.js';

/** How a folder is read. */
export interface FolderOptions {
  /** Bytes of a file at most; of `.pdf` and `.docx` four times as many. Default 2^24. */
  maxBytes?: number | undefined;
  /** Told of what is left out, once in each pass. */
  onSkipped?: ((skipped: SkippedFile) => void) | undefined;
}

/** Something of a folder that is left out. */
export interface SkippedFile {
  /** Path from the folder on. */
  path: string;
  /**
   * `hidden`, `ignored` (by `.gitignore`; `node_modules`), `link` (out of the folder, or to a
   * folder), `special` (no regular file), `generated` (written by tools), `index` (one of Lemur),
   * `binary`, `empty`, `large`, `unread` (what is wrong is in `error`).
   */
  reason: SkipReason;
  /** What is wrong with it. */
  error?: LemurError | undefined;
}

/** Metadata of a file; its front matter stands beside these. */
export interface FileMetadata {
  /** Path from the folder on, with `/`. */
  path: string;
  /** When it was changed, as `2026-01-31T12:00:00.000Z`. */
  modified: string;
  /** Its front matter's, its page's, or its first heading. */
  title?: string;
  [field: string]: unknown;
}

/** A file of a folder. */
export interface FolderFile {
  /** Path from the folder on, with `/`. */
  id: string;
  /** What it says. */
  text: string;
  /** Front matter, path, title, and when it was changed. */
  metadata: FileMetadata;
  /** SHA-256 of its bytes and of how it is read. */
  hash: string;
}

/** A file that was looked at and not taken apart. */
export interface ListedFile {
  /** As `FolderFile` has it. */
  id: string;
  /** The first 32 digits of what `FolderFile` has. */
  hash: string;
  /** Stands for its metadata. */
  metadataHash: string;
  /** That it is there and cannot be read now. */
  keep?: boolean;
  /**
   * Reads it, with the hashes of what is read; undefined: it cannot be read, which `onSkipped` is
   * told.
   */
  read(): Promise<
    (Pick<FolderFile, 'text' | 'metadata'> & Pick<ListedFile, 'hash' | 'metadataHash'>) | undefined
  >;
}

/** The files of a folder, for `Index.mirror` or a loop of your own; each pass looks anew. */
export interface FolderFiles extends AsyncIterable<FolderFile> {
  /** Its absolute path. */
  readonly root: string;
  /** `Index.mirror` cuts files into passages, by the defaults, where nothing else was said. */
  readonly passages: PassageOptions;
  /** What was left out in the last pass, by reasons. */
  readonly reasons: Readonly<Partial<Record<SkipReason, number>>>;
  /** How much that is. */
  readonly skipped: number;
  /** Whether all of its folders could be listed in the last pass. */
  readonly complete: boolean;
  /** The files by hashes alone. */
  list(): AsyncGenerator<ListedFile, void, undefined>;
  /** Counts a file that an index does not take as one that was left out. */
  refuse(id: string, error: LemurError): void;
}
