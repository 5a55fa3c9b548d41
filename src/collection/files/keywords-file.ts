import type { Postings } from '../../keywords/build-postings.js';
import type { OpenPostings } from '../../keywords/postings-reader.js';
import { platform } from '../../platform.js';
import type { ReadableStorage, StoredFile } from '../../storage/storage.js';
import { checkedFile, damaged, type EncodedFile, encodeCheckedFile } from './checked-file.js';
import { CheckedParts } from './checked-parts.js';
import type { FileEntry } from './manifest.js';

const KEYWORDS = 'lemur-keywords';

export function encodeKeywords(name: string, postings: Postings): Promise<EncodedFile> {
  const sections = Object.entries(postings).map(([section, data]) => [
    section,
    { shape: [data.length], data },
  ]);
  return encodeCheckedFile(name, KEYWORDS, Object.fromEntries(sections));
}

/**
 * Opens a file of keywords, so that it stays when it is deleted; nothing of it is read before the
 * first question. Rejects with 'not-found'.
 */
export async function openKeywords(
  storage: ReadableStorage,
  entry: FileEntry,
  documents: number,
): Promise<SegmentKeywords> {
  return new SegmentKeywords(await storage.open(entry.name), entry, documents);
}

/** The words of a segment's texts, in a file of which ranges are read. Rejects with 'bad-file'. */
export class SegmentKeywords {
  /** As it was opened. */
  readonly stored: StoredFile;
  readonly #entry: FileEntry;
  readonly #documents: number;
  #opened: Promise<OpenPostings> | undefined;

  /** Use `openKeywords`. */
  constructor(stored: StoredFile, entry: FileEntry, documents: number) {
    this.stored = stored;
    this.#entry = entry;
    this.#documents = documents;
  }

  close(): Promise<void> {
    return this.stored.close();
  }

  /** What words are looked for in; a term of each block and lengths are read once. */
  postings(): Promise<OpenPostings> {
    if (!this.#opened) {
      const opened = this.#open();
      this.#opened = opened;
      // another question tries again
      opened.catch(() => {
        this.#opened = undefined;
      });
    }
    return this.#opened;
  }

  async #open(): Promise<OpenPostings> {
    const file = await checkedFile(this.stored, this.#entry, KEYWORDS);
    const size = (section: string): number => file.sections.get(section)?.shape[0] ?? 0;
    const { openPostings } = await platform().loadKeywords();
    const opened = await openPostings({
      read: async (section) => {
        const isBytes = section === 'firsts';
        return file.array(section, isBytes ? 'U8' : 'I32', [size(section)]);
      },
      size,
      parts: (section, begin, checks) => new CheckedParts(file, section, begin, checks),
    });
    if (opened?.lengths.length === this.#documents) return opened;
    throw damaged(this.stored, 'its sections do not match');
  }
}
