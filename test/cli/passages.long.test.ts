import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { columnsOf } from '../../dist/cli/text-layout.js';
import { makeNotes, type Notes } from './notes.js';
import { runCli, succeed } from './run-cli.js';

const sentences = (name: string, count: number): string =>
  Array.from({ length: count }, (_, i) => `The ${name} number ${i} stands here alone.\n`).join('');

let notes: Notes;
beforeAll(async () => {
  notes = await makeNotes();
  await mkdir(notes.at('files'));
  await writeFile(
    notes.at('files/plan.md'),
    `# Plan\n\n${sentences('step', 20)}\n## Caching\n\nWe decided to keep otters in the cache.\n`,
  );
  await writeFile(notes.at('files/other.txt'), sentences('bee', 12));
  await writeFile(
    notes.at('lines.jsonl'),
    `${JSON.stringify({ id: 'a', text: sentences('ox', 20) })}\n`,
  );
}, 60_000);
afterAll(() => rm(notes.folder, { recursive: true, force: true }));

const add = async (index: string, source: string, ...more: string[]): Promise<string> =>
  (await succeed(['add', notes.at(index), notes.at(source), ...notes.options, ...more])).stdout;

describe('files', () => {
  test('are cut into passages, whole, and found with their lines', async () => {
    expect(await add('cut', 'files')).toMatch(
      /2 added, as (\d+) passages; 2 documents in \1 passages\n/,
    );
    const args = ['search', notes.at('cut'), 'We decided to keep otters in the cache.'];
    const { stdout } = await succeed(args);
    expect(stdout).toMatch(/plan\.md:\d+/);
    for (const line of stdout.trimEnd().split('\n').slice(1))
      expect(columnsOf(line.replaceAll('*', ''))).toBeLessThanOrEqual(80);
    const answer = JSON.parse((await succeed([...args, '--json'])).stdout);
    const ids: string[] = answer.hits.map(({ id }: { id: string }) => id);
    expect([...ids].sort()).toEqual(['other.txt', 'plan.md']);
    for (const { passages, passage, evidence, text } of answer.hits) {
      expect(passages.length).toBeLessThanOrEqual(3);
      expect(passage.lines[0]).toBeGreaterThan(0);
      expect([evidence, text]).toEqual([undefined, undefined]);
    }
    const [best] = answer.hits;
    const whole = JSON.parse((await succeed([...args, '--json', '--text'])).stdout).hits[0];
    const [, path, line] = /^(.*):(\d+)$/.exec(best.place) as RegExpExecArray;
    const lines = (await readFile(path, 'utf8')).split('\n');
    expect(path).toBe(notes.at(`files/${whole.passage.source}`));
    const [word] = /\S+ \S+/.exec(lines[Number(line) - 1]) ?? [];
    expect(best.snippet).toContain(word);
    expect(best.snippet.length).toBeLessThanOrEqual(242);
    expect(whole.text).toContain(best.snippet.replace(/^…|…$/g, ''));
    expect(whole.snippet).toBeUndefined();
  });

  test('that are deleted are counted, and their passages apart', async () => {
    await cp(notes.at('cut'), notes.at('fewer'), { recursive: true });
    const { stdout } = await succeed(['delete', notes.at('fewer'), 'plan.md', 'gone.md']);
    expect(stdout).toMatch(
      /: 1 document in \d+ passages deleted, 1 not there; 1 document in \d+ passages?\n/,
    );
  });

  test('that are as they were are left as they are', async () => {
    expect(await add('cut', 'files')).toContain('0 added, 2 unchanged');
  });

  test('may be one of any kind that a folder may have, and a name that is there is found', async () => {
    await writeFile(notes.at('load.py'), '# loads otters\ndef load():\n  raise NotThere("E_42")\n');
    await writeFile(notes.at('table.csv'), 'animal,legs\notter,4\nowl,2\n');
    for (const file of ['load.py', 'table.csv'])
      expect(await add('single', file)).toContain('1 added');
    const args = ['search', notes.at('single'), 'E_42', '--mode', 'keywords'];
    expect((await succeed(args)).stdout).toMatch(/load\.py:\d+\s+.*\*E_42\*/s);
    await writeFile(notes.at('data.bin.py'), Uint8Array.of(0, 1, 2));
    const { code, stderr } = await runCli(['add', notes.at('single'), notes.at('data.bin.py')]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('data.bin.py')]);
  });

  test('stay whole where that is asked for', async () => {
    expect(await add('whole', 'files', '--no-passages')).toContain('2 added; 2 documents');
  });

  test('are cut as the index was made', async () => {
    for (const [option, said] of [
      ['--passage-size=12', 'cannot be changed'],
      ['--no-passages', 'was made with passages'],
    ]) {
      const args = ['add', notes.at('cut'), notes.at('files'), ...notes.options, option];
      const { code, stderr } = await runCli(args);
      expect(code).toBe(1);
      expect(stderr).toContain(said);
    }
  });
});

describe('JSON lines', () => {
  test('stay whole documents', async () => {
    expect(await add('lines', 'lines.jsonl')).toContain('1 added; 1 document');
  });

  test('are cut where that is asked for', async () => {
    const made = await add('cut-lines', 'lines.jsonl', '--passage-size', '20');
    expect(made).toMatch(/1 added, as \d+ passages/);
  });
});
