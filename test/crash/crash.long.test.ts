import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

test('a writer may be killed at any moment: what was acknowledged is there, and nothing by halves', {
  timeout: 120_000,
}, () => {
  const script = fileURLToPath(new URL('../../scripts/test-crash.mjs', import.meta.url));
  const printed = execFileSync(process.execPath, [script, '--kills', '12', '--seed', '7'], {
    encoding: 'utf8',
  });
  expect(printed).toContain('12 kills');
});
