import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MOST_WORDS = 1000;
const MOST_COLUMNS = 90;
/** Folders whose files docs speak of. */
const FOLDERS = [
  'assembly',
  'bench',
  'data',
  'docs',
  'examples',
  'scripts',
  'src',
  'test',
  'tools',
];

const below = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
    .filter((file) => !file.includes('node_modules'));
const names = new Set(FOLDERS.flatMap(below).map((file) => basename(file)));

const docs = below('docs').filter((file) => file.endsWith('.md'));
const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...docs];
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
/** A page without its blocks of code. */
const proseOf = (file: string): string =>
  read(file).replace(/^ *```[\s\S]*?^ *```$|^(?: {4}.*\n)+/gm, '');

/**
 * Whether a line has a place to break besides the one behind its bullet: links and code have none.
 */
const isBreakable = (line: string): boolean =>
  (line.match(/`[^`]*`\S*|\[[^\]]*\]\([^)]*\)\S*|\S+/g) ?? []).length > 2;

describe.each(pages)('%s', (page) => {
  test('has lines of prose that fit a page', () => {
    const wide = proseOf(page)
      .split('\n')
      .filter((line) => line.length > MOST_COLUMNS && !line.startsWith('|') && isBreakable(line));
    expect(wide).toEqual([]);
  });

  test('names files and folders that exist', () => {
    const spans = [...proseOf(page).matchAll(/`([^`\s]+)`/g)].map(([, span]) => span);
    const isPath = (span: string): boolean =>
      FOLDERS.some((folder) => span.startsWith(`${folder}/`)) && !/[*<>{}]/.test(span);
    const isFile = (span: string): boolean => /^[\w-]+\.(ts|mjs|md)$/.test(span);
    const missing = spans.filter(
      (span) =>
        (isPath(span) && !existsSync(join(ROOT, span))) ||
        (isFile(span) && !names.has(span) && !existsSync(join(ROOT, span))),
    );
    expect(missing).toEqual([]);
  });

  test('links to pages that exist', () => {
    const links = [...proseOf(page).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, link]) => link);
    const missing = links
      .filter((link) => !/^https?:/.test(link))
      .filter((link) => !existsSync(join(ROOT, dirname(page), link)));
    expect(missing).toEqual([]);
  });
});

test('every page of docs/ is read in one sitting', () => {
  const words = (file: string): number => read(file).split(/\s+/).filter(Boolean).length;
  expect(docs.filter((file) => words(file) >= MOST_WORDS)).toEqual([]);
});

test('every page of docs/ is linked from another one', () => {
  const links = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, link]) => join(dirname(page), link)),
  );
  expect(docs.filter((file) => !links.includes(file))).toEqual([]);
});
