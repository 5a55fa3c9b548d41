import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const entry = new URL('../dist/node.js', import.meta.url).href;

const DATA = `
const uniform = ((state) => () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 4294967296 - 0.5)(7);
const text = (tokens) => ({ data: Float32Array.from({ length: tokens * 16 }, uniform), dims: [tokens, 16] });
const documents = Array.from({ length: 40 }, (_, i) => text(4 + (i % 5)));
const queries = [text(6), text(3)];
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
      const code = [...imports, DATA, block.replace(/^import .*$/gm, '')].join('\n').replaceAll("'lemur'", `'${entry}'`);
      writeFileSync(script, code);
      const printed = execFileSync(process.execPath, [script], { cwd: folder, encoding: 'utf8' });
      expect(printed).toMatch(/Int32Array\(10\).*Float32Array\(10\)|page-\d+ [\s\S]*method: 'exact'/s);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
});

it('the README names every script that it tells people to run', () => {
  const scripts = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).scripts as Record<string, string>;
  for (const [, name] of readme.matchAll(/npm run ([a-z:]+)/g)) expect(Object.keys(scripts)).toContain(name);
});
