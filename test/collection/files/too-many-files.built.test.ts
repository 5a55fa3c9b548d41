import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

test.skipIf(process.platform === 'win32')(
  'a process that can open no more files does all of what it says or nothing, ' +
    'and goes on when it can',
  () => {
    const script = fileURLToPath(new URL('./too-many-files.mjs', import.meta.url));
    const printed = execFileSync(
      'sh',
      ['-c', 'ulimit -n 400; exec "$0" "$1"', process.execPath, script],
      {
        encoding: 'utf8',
        timeout: 40_000,
      },
    );
    const { done, refused } = JSON.parse(printed);
    expect(refused).toBeGreaterThan(3);
    expect(done).toBeGreaterThan(3);
  },
);
