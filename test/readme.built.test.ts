import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]);
let folder: string;

// a project that has installed the package
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lemur-readme-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules/lemur'), 'junction');
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  mkdirSync(join(folder, 'notes'));
  writeFileSync(join(folder, 'notes/plan.md'), '# Plan\n\nWe decided to cache nothing.\n');
  writeFileSync(join(folder, 'notes/other.txt'), 'Bees dance.\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(blocks)('the TypeScript of the README', (block) => {
  test('is a dozen lines of code', () => {
    const lines = block.split('\n').filter((line) => line.trim() !== '');
    expect(lines.length).toBeLessThanOrEqual(15);
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
  });

  test('compiles under strict as it stands', () => {
    writeFileSync(join(folder, 'block.ts'), block);
    const options = ['--ignoreConfig', '--noEmit', '--strict', '--exactOptionalPropertyTypes'];
    const modules = ['--target', 'es2022', '--module', 'nodenext', '--types', ''];
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const compile = (): string =>
      execFileSync(process.execPath, [tsc, ...options, ...modules, 'block.ts'], {
        cwd: folder,
        encoding: 'utf8',
      });
    expect(compile).not.toThrow();
  });

  test('runs as it stands, and finds what it asks for', () => {
    writeFileSync(join(folder, 'block.js'), block);
    const printed = execFileSync(process.execPath, ['block.js'], { cwd: folder, encoding: 'utf8' });
    expect(printed).toMatch(
      block.includes('readFolder')
        ? /^plan\.md \[ 1, 3 \]\nother\.txt \[ 1, 1 \]\n$/
        : /^p1 \d+\.\d+ Cholesterol is lowered by statins\. \d+\n$/,
    );
  });
});

test('the README has TypeScript', () => {
  expect(blocks.length).toBeGreaterThan(0);
});

test('the README names every script that it tells people to run', () => {
  const scripts = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts as Record<
    string,
    string
  >;
  for (const [, name] of readme.matchAll(/npm run ([a-z:]+)/g))
    expect(Object.keys(scripts)).toContain(name);
});
