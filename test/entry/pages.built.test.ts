import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { importsOf, sourceFiles } from '../source-files.js';

const dist = fileURLToPath(new URL('../../dist/', import.meta.url));
const files = new Map(sourceFiles(dist, ['.js']).map((file) => [file.path, file]));

/** What is loaded together with a file: what it imports, but for what it loads when needed. */
function loadedWith(path: string, loaded: Set<string> = new Set()): Set<string> {
  const file = files.get(path);
  if (!file || loaded.has(path)) return loaded;
  loaded.add(path);
  const later = Array.from(file.text.matchAll(/import\(["']([^"']+)["']\)/g), ([, name]) => name);
  for (const specifier of importsOf(file))
    if (!later.includes(specifier)) loadedWith(posix.join(posix.dirname(path), specifier), loaded);
  return loaded;
}

test('a page that imports lemur loads what only some calls need when they are made', () => {
  const atOnce = [...loadedWith('entry/browser.js')];
  expect(atOnce.length).toBeGreaterThan(200);
  expect(atOnce).toContain('collection/search.js');
  for (const later of [
    /^collection\/(writing|add|mirror|tune)\.js$/,
    /^collection\/(ingest|mirror)\//,
    /^keywords\/keywords\.js$/,
    /^formats\/torch\//,
  ]) {
    expect([...files.keys()].filter((path) => later.test(path))).not.toEqual([]);
    expect(atOnce.filter((path) => later.test(path))).toEqual([]);
  }
});
