import { join } from 'node:path';
import { whatLiesAt } from '../bytes/node-path-content.js';
import { LemurError } from '../errors.js';
import { readLines } from '../formats/json/jsonl.js';
import type { BeirDocument } from '../formats/texts/beir.js';
import { fileBytes } from '../formats/texts/node-beir.js';
import { collect } from './collect.js';
import { readDocuments, type TextOptions } from './text-source.js';

/**
 * The documents of a folder's token vectors, by its `documents.jsonl` or `ids.txt`; numbers without
 * these. Raises 'bad-file' for another number of them than `expected`.
 */
export async function documentsBeside(
  folder: string,
  expected: number,
  options: Pick<TextOptions, 'reporter'>,
): Promise<BeirDocument[]> {
  const [lines, ids] = [join(folder, 'documents.jsonl'), join(folder, 'ids.txt')];
  const check = (path: string, documents: BeirDocument[]): BeirDocument[] => {
    if (documents.length === expected) return documents;
    const problem = `${documents.length} documents, expected ${expected}`;
    const message = `${path}: ${problem}: as many as the vectors have`;
    throw new LemurError('bad-file', message, { where: path });
  };
  if ((await whatLiesAt(lines)) !== undefined)
    return check(lines, await collect(readDocuments(fileBytes(lines), lines, options)));
  if ((await whatLiesAt(ids)) !== undefined) return check(ids, await readIds(ids));
  return numbered(expected);
}

async function readIds(path: string): Promise<BeirDocument[]> {
  const lineOf = new Map<string, number>();
  for await (const { line, text } of readLines(fileBytes(path), path)) {
    const before = lineOf.get(text);
    if (before !== undefined) {
      const problem = `id "${text}" was already used in line ${before}; ids must be unique`;
      const message = `${path}: line ${line}: ${problem}`;
      throw new LemurError('invalid-argument', message, { where: path });
    }
    lineOf.set(text, line);
  }
  return [...lineOf.keys()].map(idAlone);
}

/** Documents without text whose ids are numbers. */
export function numbered(count: number): BeirDocument[] {
  return Array.from({ length: count }, (_, i) => idAlone(String(i)));
}

function idAlone(id: string): BeirDocument {
  return { id, title: '', text: '' };
}
