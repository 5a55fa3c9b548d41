import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { Index } from '../../dist/entry/node.js';
import { wordEncoder } from '../collection/passage-encoder.js';
import { smallColbert, writeFiles } from '../encoder/small-checkpoint.js';
import { temporaryFolder } from '../temporary-folder.js';
import { runCli, succeed } from './run-cli.js';

const folder = await temporaryFolder('eval-modes');
const at = (name: string): string => join(folder, name);
const asked = ['--queries', at('asked.jsonl'), '--qrels', at('judged.tsv')];
const DOCUMENTS = [
  { id: 'code', text: 'It fails with ERR_MODULE_NOT_FOUND at once. A red owl flies. A bee.' },
  { id: 'moon', text: 'A green bee. A red owl, a red owl, a green owl.' },
  { id: 'fly', text: 'A fly, green and red, a fly, a fly. A bee flies!' },
];

interface Told {
  mode: string;
  queries: number;
  judged: number;
  encoding: unknown;
  rows: { method: string; ndcg: number; recall: number; scannedBytes: number | null }[];
}
const evaluated = async (index: string, ...more: string[]): Promise<Told> =>
  JSON.parse((await succeed(['eval', at(index), ...asked, '-k', '2', '--json', ...more])).stdout);

beforeAll(async () => {
  const lines = [
    { _id: 'q1', text: 'ERR_MODULE_NOT_FOUND' },
    { _id: 'q2', text: 'the fly' },
  ];
  await writeFile(at('asked.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  await writeFile(at('judged.tsv'), 'q1\tcode\t1\nq2\tfly\t1\n');
  // an encoder that the command line cannot load
  await using own = await Index.create(at('own'), { encoder: wordEncoder(), threads: 1 });
  await own.add(DOCUMENTS);
  await mkdir(at('model'));
  const model = await writeFiles(at('model'), smallColbert());
  const passages = { size: 8 };
  await using cut = await Index.create(at('cut'), { encoder: model, passages, threads: 1 });
  await cut.add(DOCUMENTS);
});

describe('eval --mode', () => {
  test('keywords measures BM25 without an encoder', async () => {
    const { mode, queries, judged, encoding, rows } = await evaluated('own', '--mode', 'keywords');
    expect({ mode, queries, judged, encoding }).toEqual({
      ...{ mode: 'keywords', queries: 2, judged: 2, encoding: null },
    });
    expect(rows).toMatchObject([
      { method: 'keywords (BM25)', ndcg: 1, recall: 1, scannedBytes: null },
    ]);
  });

  test('hybrid ranks documents of passages by meaning and keywords', async () => {
    const { mode, encoding, rows } = await evaluated(
      ...(['cut', '--mode', 'hybrid', '--model', at('model')] as const),
    );
    expect({ mode, encoding }).toEqual({ mode: 'hybrid', encoding: null });
    expect(rows).toMatchObject([{ method: 'hybrid, all documents', ndcg: 1, recall: 1 }]);
    const { stdout } = await succeed([
      'eval',
      at('cut'),
      ...asked,
      '--mode',
      'hybrid',
      '--model',
      at('model'),
    ]);
    expect(stdout).toMatch(/top 10 of hybrid, all documents .* documents by their best passages/s);
  });

  test('meaning finds the documents of passages, which judgements speak of', async () => {
    const { mode, rows } = await evaluated('cut', '--model', at('model'));
    expect(mode).toBe('meaning');
    // ids of passages would be judged irrelevant, all of them
    expect(rows[0].ndcg).toBeGreaterThan(0);
  });

  test.each([
    [['--mode', 'keywords', '--candidates', '4'], 2, "cannot be used with option '--candidates'"],
    [['--mode', 'words'], 2, 'Allowed choices are meaning, keywords, hybrid'],
    [['--mode', 'hybrid', '--queries', '-'], 1, 'expected texts with --mode hybrid, got token vec'],
  ])('refuses %j', async (args, exit, problem) => {
    const { code, stderr } = await runCli(['eval', at('own'), ...asked, ...args]);
    expect([code, stderr]).toEqual([exit, expect.stringContaining(problem)]);
  });
});
