import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const TSC = at('../../../node_modules/typescript/bin/tsc');
const OPTIONS = [
  '--ignoreConfig',
  '--noEmit',
  '--strict',
  '--target',
  'es2022',
  '--module',
  'nodenext',
];

/** What the compiler says. */
function compile(...args: string[]): string {
  try {
    return execFileSync(process.execPath, [TSC, ...OPTIONS, ...args], { encoding: 'utf8' });
  } catch (error) {
    return String((error as { stdout: string }).stdout);
  }
}

test('the compiler takes filters that fit the type of the metadata, and refuses others', () => {
  expect(compile('--exactOptionalPropertyTypes', at('filter-types.ts'))).toBe('');
});

test('the types are valid where optional properties may be undefined, too', () => {
  expect(compile(at('../../../src/collection/metadata/filter.ts'))).toBe('');
});
