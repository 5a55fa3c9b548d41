import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

test('a hit has by its type what the search included', () => {
  const options = ['--ignoreConfig', '--noEmit', '--strict', '--exactOptionalPropertyTypes'];
  const modules = ['--target', 'es2022', '--module', 'nodenext'];
  const tsc = at('../../node_modules/typescript/bin/tsc');
  const compile = (): string =>
    execFileSync(process.execPath, [tsc, ...options, ...modules, at('hit-types.ts')], {
      encoding: 'utf8',
    });
  expect(compile).not.toThrow();
});
