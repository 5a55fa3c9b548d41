import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { markedSnippet } from '../../dist/cli/evidence.js';
import { createPrinter, marked, shown } from '../../dist/cli/print.js';
import { createReporter } from '../../dist/cli/progress.js';
import { writeSafetensors } from '../../dist/formats/safetensors/safetensors.js';
import { type Outcome, runInProcess } from '../fuzz/run-in-process.js';
import { tokensOf, writeTokenFolder } from './token-data.js';

/** Clears the screen, fills the clipboard, sets the title, hides, turns around, starts lines. */
const HOSTILE =
  '\u001b[2J\u001b]52;c;aGk=\u0007\u009b31m\u009d0;t\u009c\u007f\u0085\r\n' +
  '\t\u061c\u200e\u202e\u2066\u2028\u2029\ufeff x';
/** Nothing of the above; line feeds and what marks a word are ours. */
const CLEAN = /^[^\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]*$/u;
const CLEAN_BUT_MARKED = /^otters\\u001b\[2J[^\p{Cc}\p{Bidi_Control}]*hands$/u;
const COMMANDS = [
  'add',
  'search',
  'fit',
  'tune',
  'delete',
  'compact',
  'verify',
  'eval',
  'info',
  'convert',
];

let folder: string;
let index: string;
let source: string;
let lines: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-hostile-'));
  source = join(folder, `source${HOSTILE}`);
  index = join(folder, `index${HOSTILE}`);
  lines = join(folder, `lines${HOSTILE}.jsonl`);
  await writeTokenFolder(source, tokensOf(6, 4, 1));
  const documents = Array.from({ length: 6 }, (_, i) => ({
    _id: `id${i}${HOSTILE}`,
    title: i % 2 === 0 ? '' : `title${HOSTILE}`,
    text: i === 5 ? '' : `text${HOSTILE} `.repeat(20),
    metadata: { [`key${HOSTILE}`]: HOSTILE },
  }));
  await writeFile(
    join(source, 'documents.jsonl'),
    documents.map((document) => JSON.stringify(document)).join('\n'),
  );
  await writeFile(lines, `{"_id":"a","text":"b"}\n{"_id":"a${HOSTILE.replaceAll('\n', '')}\n`);
  await run('add', index, source);
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs a command and checks what it printed; the lines of its output come back. */
async function run(...args: string[]): Promise<Outcome> {
  const outcome = await runInProcess(args, COMMANDS);
  for (const line of `${outcome.stdout}${outcome.stderr}`.split('\n')) expect(line).toMatch(CLEAN);
  expect(`${outcome.stdout}${outcome.stderr}`).not.toContain('LEMUR_DEBUG');
  return outcome;
}

describe('nothing that is printed steers the terminal', () => {
  test('results, and each in its line', async () => {
    const { stdout } = await run('search', index, '--vectors', source);
    // a line for each question and empty ones between them, two for each hit with a text
    expect(stdout.trimEnd().split('\n')).toHaveLength(6 * (1 + 6 * 2) + 5);
    for (const part of [
      'query id0\\u001b[2J',
      '[id1\\u001b[2J',
      'title\\u001b',
      'text\\u001b[2J\\u001b]52;c;aGk=\\u0007',
      '\\u202e',
    ])
      expect(stdout).toContain(part);
  });

  test('the words that matched', () => {
    const text = `otters${HOSTILE} hold hands`;
    const { text: snippet } = markedSnippet(text, 'hold', [
      {
        queryToken: 0,
        token: 0,
        score: 1,
        querySpan: [0, 4],
        span: [text.indexOf('hold'), text.indexOf('hold') + 4],
      },
    ]);
    expect(snippet).toMatch(CLEAN_BUT_MARKED);
    expect(snippet).toContain(marked('hold'));
  });

  test('JSON, which says the same', async () => {
    const { stdout } = await run('search', index, '--vectors', source, '--json');
    const [first] = stdout.split('\n').map((line) => line && JSON.parse(line));
    expect(first.query).toBe(`id0${HOSTILE}`);
    expect(first.hits[0]).toMatchObject({
      id: expect.stringContaining(HOSTILE),
      metadata: { [`key${HOSTILE}`]: HOSTILE },
    });
    for (const args of [
      ['info', index],
      ['verify', index],
      ['compact', index],
      ['delete', index, 'nobody'],
      ['eval', index, '--queries', source, '-k', '1'],
      ['add', index, source],
    ])
      expect(JSON.parse((await run(...args, '--json')).stdout)).toBeTypeOf('object');
  });

  test('what the other commands say', async () => {
    for (const args of [
      ['add', index, source],
      ['info', index],
      ['info', source],
      ['info', lines],
      ['verify', index],
      ['compact', index],
      ['delete', index, `nobody${HOSTILE}`],
      ['eval', index, '--queries', source, '-k', '1'],
      ['tune', index],
      ['fit', index],
      ['convert', source, join(folder, `out${HOSTILE}.safetensors`)],
      ['convert', source, join(folder, `out${HOSTILE}`)],
    ])
      await run(...args);
  });

  test('names of tensors, fields and files', async () => {
    const file = join(folder, `tensors${HOSTILE}.safetensors`);
    await writeFile(
      file,
      writeSafetensors(
        { [`w${HOSTILE}`]: { shape: [1], data: new Float32Array(1) } },
        { [`k${HOSTILE}`]: HOSTILE },
      ),
    );
    expect((await run('info', file)).stdout).toContain('w\\u001b[2J');
    expect((await run('add', index, file)).stderr).toContain('tensors w\\u001b[2J');
    const notes = join(folder, 'notes');
    await mkdir(notes);
    await writeFile(join(notes, `a${HOSTILE}.md`), 'text');
    expect((await run('info', notes)).stdout).toContain('a\\u001b[2J');
    const fields = join(folder, 'fields.jsonl');
    await writeFile(fields, `${JSON.stringify({ [`f${HOSTILE}`]: 1 })}\n`);
    expect((await run('info', fields)).stdout).toContain('f\\u001b[2J');
  });

  test('errors, of wrong usage too, are one line', async () => {
    for (const args of [
      [`serch${HOSTILE}`],
      ['search', index, `--vector${HOSTILE}`],
      ['search', index, 'x', '-k', HOSTILE],
      ['search', index, 'x', '--filter', HOSTILE],
      ['search', index, HOSTILE],
      [
        'search',
        index,
        '--vectors',
        source,
        '--filter',
        JSON.stringify({ a: { [`$${HOSTILE}`]: 1 } }),
      ],
      ['add', join(folder, 'new'), lines],
      ['add', join(folder, 'new'), `nowhere${HOSTILE}`],
      ['add', index, source, '--on-existing', 'error'],
      ['add', join(folder, 'new'), lines, '--model', `model${HOSTILE}`],
      ['verify', `nowhere${HOSTILE}`],
      ['convert', source, source, '--force', '--format', `x${HOSTILE}`],
      ['info', `nowhere${HOSTILE}`],
    ]) {
      const { stderr, exitCode } = await run(...args);
      expect(exitCode).toBeGreaterThan(0);
      expect(stderr.replace(/^[a-z ]+ …\n/, '')).toMatch(/^(lemur|error): [^\n]+\n$/);
    }
  });
});

describe('in a terminal', () => {
  const written: string[] = [];
  const sink = new Writable({
    write(chunk, _, done) {
      written.push(String(chunk));
      done();
    },
  });
  const terminal = Object.assign(sink, { isTTY: true, columns: 80 });

  test('words that matched are bold and yellow, and texts cannot be', () => {
    // the characters that stand for the marks until they are written, too
    const text = `${HOSTILE}\ufdd0a\ufdd1`;
    const printed = (noColor: string): string => {
      vi.stubEnv('NO_COLOR', noColor);
      createPrinter(terminal).print(`${shown(text)} ${marked('b')}`);
      vi.unstubAllEnvs();
      return written.splice(0).join('');
    };
    const plain = `${shown(HOSTILE)}\\ufdd0a\\ufdd1`;
    expect(printed('')).toBe(`${plain} \u001b[1;33mb\u001b[22;39m\n`);
    expect(printed('1')).toBe(`${plain} \u001b[1mb\u001b[22m\n`);
  });

  test('bars show titles and stages as they are', async () => {
    const reporter = createReporter(terminal);
    await reporter.step(`fetch ${HOSTILE}`, async (onProgress) =>
      onProgress({ stage: `download ${HOSTILE}`, done: 1, total: 2 }),
    );
    reporter.note(HOSTILE);
    const text = written.splice(0).join('');
    expect(text).toContain('fetch \\u001b[2J');
    for (const part of ['\u001b]52', '\u001b[2J', '\u009b', '\u202e', '\u0085'])
      expect(text).not.toContain(part);
  });
});
