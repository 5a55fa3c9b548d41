import {
  type Encoder,
  Index,
  type MirrorDocument,
  type MirrorSource,
  memoryStorage,
} from '../../dist/entry/node.js';
import { sentencesOf, wordEncoder } from './passage-encoder.js';

/** Counts the texts that it is asked for. */
export function countingEncoder(): Encoder & { texts: string[] } {
  const encoder = wordEncoder();
  const texts: string[] = [];
  return {
    ...encoder,
    texts,
    encodeDocument: (asked, options) => {
      texts.push(...asked);
      return encoder.encodeDocument(asked, options);
    },
  };
}

type Files = Record<string, string>;

/** A root whose documents are these. */
export function sourceOf(
  files: Files,
  { root = 'pages', ...more }: Partial<MirrorSource> = {},
): MirrorSource {
  return {
    root,
    ...more,
    *[Symbol.iterator](): Iterator<MirrorDocument> {
      for (const [id, text] of Object.entries(files))
        yield { id, text, metadata: { size: text.length, path: id } };
    },
  };
}

export const FILES: Files = {
  'a.md': `# A\n\n${sentencesOf('ant', 6)}`,
  'b.md': `# B\n\n${sentencesOf('bee', 6)}`,
  'c.md': `# C\n\n${sentencesOf('cat', 6)}`,
  'd.txt': sentencesOf('dog', 6),
};
export const NOTHING = { added: 0, updated: 0, renamed: 0, deleted: 0, skipped: 0 };

/** What an index holds, in an order of its own. */
export async function contentsOf(index: Index, ids: readonly string[]): Promise<unknown[]> {
  const found = await index.get([...ids].sort());
  return found.map((one) => one && { id: one.id, text: one.text, metadata: one.metadata });
}

/** An index that has these files, cut into passages, and its encoder, asked for nothing since. */
export async function filled() {
  const encoder = countingEncoder();
  const options = { encoder, passages: { size: 20 }, threads: 1 };
  const index = await Index.create(memoryStorage(), options);
  await index.mirror(sourceOf(FILES));
  encoder.texts.length = 0;
  return { encoder, index };
}
