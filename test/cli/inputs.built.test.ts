import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeNpy } from '../../dist/formats/npy/npy.js';
import { runInProcess } from '../fuzz/run-in-process.js';
import { succeed } from './run-cli.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
let folder: string;
let at: (name: string) => string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lemur-inputs-'));
  at = (name) => join(folder, name);
  writeFileSync(
    at('v.npy'),
    writeNpy({
      shape: [3, 2, 4],
      data: Float32Array.from({ length: 24 }, (_, i) => Math.sin(i + 1)),
    }),
  );
  execFileSync('mkfifo', [at('pipe')]);
  symlinkSync('nowhere', at('lost'));
  // the beginning of what numpy.savez writes
  const name = Buffer.from('arr_0.npy');
  const zip = Buffer.alloc(30 + name.length + 64);
  zip.set([0x50, 0x4b, 3, 4]);
  zip[26] = name.length;
  zip.set(name, 30);
  writeFileSync(at('a.npz'), zip);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A line of bash; `lemur` is the command. */
const bash = (line: string): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(
    'bash',
    ['-c', `lemur() { "${process.execPath}" "${MAIN}" "$@"; }; cd "${folder}"; ${line}`],
    { encoding: 'utf8' },
  );

const failure = async (...args: string[]): Promise<string> => {
  const { exitCode, stdout, stderr } = await runInProcess(args, [
    'add',
    'search',
    'info',
    'convert',
    'eval',
  ]);
  expect([exitCode, stdout]).toEqual([1, '']);
  return stderr;
};

describe('process substitution', () => {
  test('gives sources, queries and judgements as files do', () => {
    expect(
      bash(
        'lemur add piped <(cat v.npy) && lemur add filed v.npy && cmp ' +
          'piped/segment.1.safetensors filed/segment.1.safetensors',
      ),
    ).toMatchObject({
      status: 0,
    });
    const { status, stdout } = bash(
      `lemur eval piped -k 1 --queries <(cat v.npy) --qrels <(printf '0\\t0\\t1\\n') --json`,
    );
    expect([status, JSON.parse(stdout)]).toMatchObject([0, { queries: 3, judged: 1 }]);
    expect(bash('lemur search piped --vectors <(cat v.npy) --json | wc -l').stdout.trim()).toBe(
      '3',
    );
  });

  test('is refused where a path is read more than once', () => {
    expect(bash('lemur info <(cat v.npy)')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^lemur: \/dev\/fd\/\d+: a pipe, which can be read once/),
    });
  });
});

test.each([
  ['pipe', /pipe: a named pipe, expected a file/],
  ['lost', /lost: no such file: a link that leads nowhere/],
  ['/dev/zero', /\/dev\/zero: a device, expected a file/],
])('%s as an input is an error at once', async (name, message) => {
  const path = name.startsWith('/') ? name : at(name);
  for (const args of [
    ['add', at('new'), path],
    ['search', at('piped'), '--vectors', path],
    ['info', path],
    ['convert', path, at('out.npy')],
    ['eval', at('piped'), '--queries', path],
    ['eval', at('piped'), '--queries', at('v.npy'), '--qrels', path],
  ])
    expect(await failure(...args)).toMatch(message);
  expect(readdirSync(folder)).not.toContain('new');
});

test('a pipe or a device is never replaced', async () => {
  for (const target of [at('pipe'), '/dev/null'])
    expect(await failure('convert', at('v.npy'), target, '--force', '--format', 'npy')).toContain(
      'no file, which would be replaced',
    );
});

test('a file: address is the path in it', async () => {
  expect(await failure('info', `file://${at('nowhere')}`)).toContain(
    `lemur: ${at('nowhere')}: no such file or folder`,
  );
  expect((await runInProcess(['info', `file://${at('v.npy')}`], ['info'])).stdout).toContain(
    'v.npy: .npy',
  );
});

test("NumPy's archives are called by their name", async () => {
  expect(await failure('add', at('new'), at('a.npz'))).toMatch(
    /a\.npz: an archive of \.npy files \(\.npz\); unpack it/,
  );
  expect(await failure('search', at('piped'), '--vectors', at('a.npz'))).toContain(
    'an archive of .npy files',
  );
  expect((await succeed(['info', at('a.npz')])).stdout).toMatch(/a\.npz: \.npz, /);
});

test('targets that cannot be written say why', async () => {
  expect(await failure('convert', at('v.npy'), at('v.npy/below.npy'))).toMatch(
    /could not be (made|written): (a file|what its path names|.*not a dir|file already)/,
  );
  expect(await failure('convert', at('v.npy'), at('v.npy/below'))).toMatch(
    /below.*could not be made|below: could not/,
  );
});
