import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Random } from '../mutations.js';
import { type Attempt, REFUSED, type Target } from './harness.js';
import { checkOutcome, runInProcess } from './run-in-process.js';

/** Commands, each with arguments that are valid as far as they go; mutations start from these. */
const COMMANDS: readonly (readonly string[])[] = [
  ['demo'],
  ['demo', '--documents', '200', '--out', 'FOLDER', '--threads', '2'],
  ['demo', '--full', '--model', 'FOLDER'],
  ['search', 'FOLDER', 'do statins lower cholesterol?'],
  ['search', 'FOLDER', '-k', '3', '--json', 'vitamin', 'D', 'and', 'pregnancy'],
  ['search', 'FOLDER', '--candidates', '400', '--model', 'FOLDER', '--threads', '1', 'anything'],
  ['search', 'FOLDER', '--vectors', 'FOLDER', '--exact'],
  [
    'search',
    'FOLDER',
    'anything',
    '--recall',
    '0.9',
    '--evidence',
    '--filter',
    '{"year":{"$gt":5}}',
  ],
  [
    'add',
    'FOLDER',
    'FOLDER',
    '--precision',
    'float32',
    '--pooling',
    '2',
    '--features',
    'random',
    '--on-existing',
    'replace',
  ],
  ['add', 'FOLDER', '-', '--skip-empty', '--replace', '--json', '--dim', '64'],
  ['delete', 'FOLDER', 'a', 'b'],
  ['delete', 'FOLDER', '--filter', '{}'],
  ['tune', 'FOLDER', '--recall', '0.9', '--queries', 'FOLDER', '--sample', '20'],
  ['compact', 'FOLDER'],
  ['verify', 'FOLDER', '--json'],
  ['eval', 'FOLDER'],
  ['eval', 'FOLDER', '--queries', 'FOLDER', '--qrels', 'FOLDER'],
  ['info', 'FOLDER'],
  ['info', 'FOLDER', '--json'],
  ['fit', 'FOLDER', '--random-features'],
  ['fit', 'FOLDER', '--out', 'FOLDER', '--epochs', '0', '--final-hidden-dim', '64', '--seed', '1'],
  [
    'fit',
    '-',
    '--out',
    'FOLDER',
    '--random-features',
    '--precision',
    'float32',
    '--learn',
    'FOLDER',
    '--skip-empty',
    '--json',
  ],
  ['convert', 'FOLDER', '-', '--format', 'npy', '--force'],
  ['convert', 'FOLDER', 'FOLDER', '--sample', 'FOLDER', '--kind', 'query'],
  ['eval', 'FOLDER', '--candidates', '20', '400', '--json', '-k', '5'],
  ['--version'],
  ['search', '--help'],
];
/**
 * Commands that do something; all others are only parsed. These read, and find no index in any of
 * the folders.
 */
const MAY_RUN = ['search', 'eval', 'info', 'verify'];

const WORDS: readonly string[] = [
  ...(
    'demo search eval add delete tune serch help fit info convert __proto__ constructor ' +
    'toString'
  ).split(' '),
  ...(
    '--vectors --queries --qrels --sample --format=npy --epochs --lr 1e-3 --activation mish ' +
    '--exact -k -k5 -k=5 --candidates --candidates=7 --candidates= --json --json=x --no-json ' +
    '--model --threads --documents --full --out'
  ).split(' '),
  ...(
    '--filter {} --recall=0.5 --help -h --version -V -- - --x --__proto__ -hVk ' + '--constructor=1'
  ).split(' '),
  ...'0 1 2 10 200 -1 1.5 1e3 0x10 ٣ 9007199254740991 9007199254740992 Infinity NaN'.split(' '),
  ...[
    '',
    ' ',
    ' 5',
    '\n',
    '\t',
    'a\nb',
    '\u001b[31m',
    '\u202e',
    '\ufeff',
    '\ud800',
    'ünïcode',
    '\u{1f600}',
    '%s%d',
    "'",
    '"',
    '\\',
  ],
  ...[
    '.',
    '..',
    '/',
    '/dev/null',
    '/dev/stdin',
    'file:',
    'file:///',
    '~',
    'a/'.repeat(3000),
    '9'.repeat(400),
    'x'.repeat(300),
    'x'.repeat(100_000),
  ],
];

function mutated(folders: readonly string[], random: Random): string[] {
  const folder = random.pick(folders);
  const args = random.pick(COMMANDS).map((word) => (word === 'FOLDER' ? folder : word));
  const word = (): string =>
    random.oneIn(5)
      ? random.pick(folders)
      : random.oneIn(4)
        ? random.pick(random.pick(COMMANDS))
        : random.pick(WORDS);
  for (let edits = random.below(5); edits > 0; edits--) {
    const at = random.below(args.length + 1);
    const kind = random.below(8);
    if (kind < 2) args.splice(at, 1, word());
    else if (kind < 4) args.splice(at, 0, word());
    else if (kind === 4) args.splice(at, 1);
    else if (kind === 5) args.splice(at, 0, ...args.slice(random.below(args.length + 1)));
    else if (kind === 6)
      args.splice(at, 0, ...new Array<string>(random.oneIn(20) ? 2000 : 3).fill(word()));
    else if (args[at] !== undefined) args[at] = damaged(args[at], random);
  }
  // a system hands no NUL to a program
  return args.map((arg) => String(arg).replaceAll('\0', ''));
}

function damaged(text: string, random: Random): string {
  const at = random.below(text.length + 1);
  return (
    text.slice(0, at) +
    random.pick(['', '=', '-', ' ', '\u0301', '\ud83d', 'é', '0', text]) +
    text.slice(at + random.below(2))
  );
}

/** Argument vectors. */
export const commandLine: Target = {
  name: 'arguments',
  async open() {
    const root = await mkdtemp(join(tmpdir(), 'lemur-fuzz-'));
    const folders = [
      'empty',
      'none',
      'file',
      'file/within',
      'broken',
      'pipe',
      'lost',
      'device',
    ].map((name) => join(root, name));
    await mkdir(folders[0]);
    await writeFile(folders[2], 'text');
    await mkdir(join(folders[4], 'index.json'), { recursive: true });
    execFileSync('mkfifo', [folders[5]]);
    await symlink('nowhere', folders[6]);
    await symlink('/dev/zero', folders[7]);
    return {
      once(random): Attempt {
        const args = mutated(folders, random);
        return {
          size: args.reduce((sum, arg) => sum + 2 * arg.length + 16, 0),
          show: () => JSON.stringify(args),
          async read() {
            const outcome = await runInProcess(args, MAY_RUN);
            // a command that is only parsed says nothing
            if (outcome.exitCode !== 0 || outcome.stdout !== '') checkOutcome(outcome);
            return outcome.exitCode === 0 ? undefined : REFUSED;
          },
        };
      },
      close: () => rm(root, { recursive: true }),
    };
  },
};
