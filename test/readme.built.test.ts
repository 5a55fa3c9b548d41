import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const entry = new URL('../dist/entry/node.js', import.meta.url).href;

// a vector for each word, of its letters
const DATA = `
const spansOf = (text) => [...text.matchAll(/\\w+/g)].map(({ 0: word, index }) => [index, index + word.length]);
const vectorOf = (word) => {
  const counts = new Float32Array(26);
  for (const letter of word.toLowerCase()) counts[letter.charCodeAt(0) - 97]++;
  return counts.map((count) => count / Math.hypot(...counts));
};
const encode = async (texts) => {
  const words = texts.map((text) => spansOf(text).map(([from, to]) => vectorOf(text.slice(from, to))));
  const counts = Int32Array.from(words, ({ length }) => length);
  const offsets = new Float64Array(counts.length + 1);
  counts.forEach((count, i) => (offsets[i + 1] = offsets[i] + count));
  const vectors = Float32Array.from(words.flat().flatMap((vector) => [...vector]));
  return { vectors, counts, offsets, dim: 26, spans: Int32Array.from(texts.flatMap(spansOf).flat()) };
};
const encoder = { id: 'letters', dim: 26, encodeQuery: encode, encodeDocument: encode, close: async () => {} };
`;

it('every TypeScript block of the README runs as it stands', () => {
  const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]);
  expect(blocks.length).toBeGreaterThan(0);
  for (const block of blocks) {
    const folder = mkdtempSync(join(tmpdir(), 'lemur-readme-'));
    try {
      const script = join(folder, 'block.mjs');
      // imports stay on top, the data the block speaks of comes behind them
      const imports = block.match(/^import .*$/gm) ?? [];
      const code = [...imports, DATA, block.replace(/^import .*$/gm, '')]
        .join('\n')
        .replaceAll("'lemur'", `'${entry}'`);
      writeFileSync(script, code);
      const printed = execFileSync(process.execPath, [script], { cwd: folder, encoding: 'utf8' });
      expect(printed).toMatch(/^p1 \d\.\d+ \[[^\]]*'statins'[^\]]*'Cholesterol'\s*\]\n$/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
});

it('the README names every script that it tells people to run', () => {
  const scripts = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
    .scripts as Record<string, string>;
  for (const [, name] of readme.matchAll(/npm run ([a-z:]+)/g))
    expect(Object.keys(scripts)).toContain(name);
});
