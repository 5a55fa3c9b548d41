import { cp, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSafetensors } from '../../dist/formats/safetensors/safetensors.js';
import { smallBert } from '../encoder/small-bert.js';
import { makeNotes, type Notes, TEXTS } from './notes.js';
import { runCli, succeed } from './run-cli.js';

let folder: string;
let at: Notes['at'];
beforeAll(async () => {
  let options: Notes['options'];
  ({ folder, at, options } = await makeNotes());
  const lines = TEXTS.map((text, id) => JSON.stringify({ id, title: `No. ${id}`, text }));
  await succeed(['add', at('piped'), '-', ...options, '--dim', '16'], lines.join('\n'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('search and convert with an encoder', () => {
  test('a text finds itself first, by a question in words or as vectors of the same encoder', async () => {
    const { stdout } = await succeed([
      'search',
      at('notes.lemur'),
      '-k',
      '2',
      '--json',
      '--text',
      ...TEXTS[1].split(' '),
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      question: TEXTS[1],
      hits: [{ id: 'deep/1.md', text: TEXTS[1] }, {}],
    });
    await writeFile(
      at('questions.jsonl'),
      TEXTS.map((text, id) => JSON.stringify({ id, text })).join('\n'),
    );
    const like = ['--kind', 'query', '--index', at('notes.lemur')];
    const { bytes } = await succeed(['convert', at('questions.jsonl'), '-', ...like]);
    expect(readSafetensors(bytes, 'output').tensors.get('tokens')?.shape[1]).toBe(48);
    const answers = await succeed(
      ['search', at('notes.lemur'), '--vectors', '-', '-k', '1', '--json'],
      bytes,
    );
    const found = answers.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).hits[0].id);
    expect(found).toEqual(['0.md', 'deep/1.md', '2.txt', 'deep/3.txt']);
    expect(JSON.parse(stdout).hits[0].score).toBeCloseTo(
      JSON.parse(answers.stdout.split('\n')[1]).hits[0].score,
      4,
    );
  });

  test('evidence marks the words that matched, and has their places in JSON', async () => {
    // with random weights a text matches nothing but itself
    const question = `No. 1 ${TEXTS[1]}`;
    const { stdout } = await succeed(['search', at('piped'), '--evidence', '-k', '1', question]);
    expect(stdout).toMatch(
      / {2}1 +\d+\.\d{3} {2}\*No\*\. \*1\* {2}\[1\]\n +\*Bees dance\* to \*tell where flowers\* are\.\n/,
    );
    const json = JSON.parse(
      (
        await succeed([
          'search',
          at('piped'),
          '--evidence',
          '-k',
          '1',
          '--json',
          '--text',
          question,
        ])
      ).stdout,
    );
    const [{ text, evidence, score }] = json.hits;
    const words = evidence.filter(
      ({ querySpan }: { querySpan: [number, number] }) => question.slice(...querySpan) !== '.',
    );
    expect(words).toHaveLength(9);
    for (const { querySpan, span } of words)
      expect(text.slice(...span)).toBe(question.slice(...querySpan));
    expect(
      evidence.reduce((sum: number, one: { score: number }) => sum + one.score, 0),
    ).toBeCloseTo(score, 3);
  });

  test('answers questions from standard input as they come, until Ctrl-C', async () => {
    let asked = 1;
    const { code, stdout, stderr } = await runCli(
      ['search', at('notes.lemur'), '-k', '1', '--json'],
      (child, _, out) => {
        const answered = out.split('\n').length - 1;
        if (answered === 1 && asked++ === 1) child.stdin?.write(`\n${TEXTS[3]}\r\n`);
        if (answered === 2) child.kill('SIGINT');
      },
      {},
      `${TEXTS[0]}\n`,
      true,
    );
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).question),
    ).toEqual([TEXTS[0], TEXTS[3]]);
    expect(stderr).toBe('interrupted\n');
    expect(code).toBe(130);
  });

  test('says that there is no question', async () => {
    const { code, stderr } = await runCli(['search', at('notes.lemur')]);
    expect([code, stderr]).toEqual([
      1,
      'lemur: no question: none in the arguments, none on standard input\n',
    ]);
  });

  test('refuses an encoder that is not the one of the collection', async () => {
    await cp(at('bert'), at('other'), { recursive: true });
    await writeFile(
      at('other/model.safetensors'),
      smallBert({ vocab_size: 30522, num_hidden_layers: 1 }).file,
    );
    const { json } = smallBert({ vocab_size: 30522, num_hidden_layers: 1 });
    await writeFile(at('other/config.json'), JSON.stringify(json));
    const { code, stderr } = await runCli([
      'search',
      at('notes.lemur'),
      '--model',
      at('other'),
      'what',
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /notes\.lemur: made with the encoder bert-\w+-30, opened with bert-\w+-30: .* contents of .*\n$/,
    );
  });
});
