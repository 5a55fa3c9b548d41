import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { succeed } from '../cli/run-cli.js';
import { temporaryFolder } from '../temporary-folder.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(root, 'docs/server.md'), 'utf8');
const blocks = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block);
/** Each curl of the page, with the lines that belong to it. */
const calls = blocks
  .filter((block) => block.includes('curl'))
  .flatMap((block) => block.split(/\n(?=curl|printf|$)/))
  .filter((call) => call.trim() !== '');

/** The last line of what each call prints, by what is asked for. */
const EXPECTED: readonly (readonly [RegExp, RegExp])[] = [
  [/collections\n?$/, /"name":"notes"/],
  [/collections\/notes\n?$/, /"features":"exact"/],
  [/"documents":\[\n/, /"added":2/],
  [/"query":"do statins/, /\*\*statins\*\*/],
  [/-X DELETE/, /"deleted":1/],
  [/documents\/p1/, /"year":2011/],
  [/ndjson/, /\{"done":true,"added":2,"replaced":0,"skipped":0\}/],
  [/\/fit/, /"state":"running"/],
  [/\/jobs/, /"kind":"fit"/],
  [/v2\/rerank/, /"results":\[\{"index":1,/],
];

test('every call of the page gives what the page says', async () => {
  const folder = await temporaryFolder('server-docs');
  const index = join(folder, 'notes.lemur');
  await writeFile(join(folder, 'plan.txt'), 'We decided to cache nothing.');
  await succeed(['add', index, join(folder, 'plan.txt'), '--no-passages']);
  const main = join(root, 'dist/cli/main.js');
  const server = spawn(process.execPath, [main, 'serve', index, '--port', '0']);
  const [line] = (await once(server.stdout, 'data')) as [Buffer];
  const [, port] = /127\.0\.0\.1:(\d+) serves notes/.exec(String(line)) ?? [];
  expect(calls.length).toBe(EXPECTED.length);
  for (const call of calls) {
    const script = call.replaceAll('localhost:8080', `localhost:${port}`);
    const options = script.replace(/\bcurl /, 'curl -sS --fail-with-body ');
    const printed = execFileSync('sh', ['-c', options], { encoding: 'utf8' });
    const [, expected] = EXPECTED.find(([asked]) => asked.test(call)) ?? [call, /^nothing/];
    expect(printed).toMatch(expected);
  }
  server.kill('SIGTERM');
  expect(await once(server, 'exit')).toEqual([0, null]);
});
