import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DIM, LEARN } from './small-collection.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lemur-collection-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('the same calls give the same files in another process, whatever the number of threads', {
  timeout: 60_000,
}, () => {
  const entry = new URL('../../dist/entry/node.js', import.meta.url).href;
  const documents = fileURLToPath(new URL('./random-documents.ts', import.meta.url));
  const run = (name: string, count: number): Map<string, string> => {
    const script = `
      import { Index } from '${entry}';
      const { documentsOf } = await import('data:text/javascript;base64,' + process.argv[1]);
      const index = await Index.create(${JSON.stringify(join(folder, name))}, { dim: ${DIM}, features: 'trained', threads: ${count} });
      const documents = documentsOf(300, ${DIM});
      await index.add(documents.slice(0, 200));
      await index.fit({ ...${JSON.stringify(LEARN)}, epochs: 2, learnSubsetSize: 512 });
      for (const document of documents.slice(200, 212)) await index.add(document);
      await index.delete(['a5', 'a205']);
      await index.add(documents.slice(212));
      await index.close();`;
    const plain = readFileSync(documents, 'utf8')
      .replace(/^import .*$/gm, '')
      .replace(
        /: \(\) => number(?=[ ,)])|: number|: string|\): \{ data: Float32Array; dims: \[number, number\] \}(?= \{)|\): \(IndexDocument[^\n]*\[\] (?=\{)/g,
        (match) => (match.startsWith(')') ? ')' : ''),
      );
    execFileSync(process.execPath, [
      '--input-type=module',
      '-e',
      script,
      Buffer.from(plain).toString('base64'),
    ]);
    const at = join(folder, name);
    return new Map(
      readdirSync(at).map((file) => [file, readFileSync(join(at, file)).toString('base64')]),
    );
  };
  const one = run('once', 1);
  expect([...one.keys()].length).toBeGreaterThan(4);
  expect(run('twice', 2)).toEqual(one);
});
