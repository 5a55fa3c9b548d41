import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

test('processes that search while another writes get answers of committed states alone', {
  timeout: 120_000,
}, () => {
  const script = fileURLToPath(new URL('../../scripts/test-concurrency.mjs', import.meta.url));
  const printed = execFileSync(process.execPath, [script, '--seconds', '4'], { encoding: 'utf8' });
  expect(printed).toMatch(/a second writer: .*locked by process \d+ on /);
  expect(printed.match(/^reader: \{"refreshes":[1-9]\d*,"states":[1-9]/gm)).toHaveLength(2);
  expect(printed).toContain("a killed writer's lock was taken over");
  expect(printed).toContain(
    'a writer whose lock was deleted was refused, and the other lost nothing',
  );
  expect(printed).toContain('a writer whose folder was moved was refused, and nothing was lost');
});
