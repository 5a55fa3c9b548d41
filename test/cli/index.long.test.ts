import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Index } from '../../dist/entry/node.js';
import { writeNpy } from '../../dist/formats/npy/npy.js';
import { writeSafetensors } from '../../dist/formats/safetensors/safetensors.js';
import { runCli, succeed } from './run-cli.js';
import { halfNpy, plainMaxSim, type Tokens, tokensOf, writeTokenFolder } from './token-data.js';

const SMALL = ['--random-features', '--final-hidden-dim', '8'];
const even = tokensOf(20, 6, 1, () => 3);
const ragged = tokensOf(20, 6, 2);

let folder: string;
let at: (name: string) => string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-index-'));
  at = (name) => join(folder, name);
  await writeTokenFolder(at('ragged'), ragged);
  await writeTokenFolder(at('even'), even);
});
afterAll(() => rm(folder, { recursive: true }));

/** Names and bytes of all files. */
async function contents(index: string): Promise<Map<string, string>> {
  const names = (await readdir(index)).sort();
  return new Map(
    await Promise.all(
      names.map(
        async (name) => [name, (await readFile(join(index, name))).toString('latin1')] as const,
      ),
    ),
  );
}

const infoOf = async (index: string): Promise<Record<string, unknown>> =>
  JSON.parse((await succeed(['info', index, '--json'])).stdout);

function tensorsOf({ vectors, counts, dim }: Tokens, name: string, wide: boolean): Uint8Array {
  return writeSafetensors({
    [name]: { shape: [vectors.length / dim, dim], data: vectors },
    counts: { shape: [counts.length], data: wide ? BigInt64Array.from(counts, BigInt) : counts },
  });
}

describe('add of token vectors', () => {
  test('makes an index with numbers as ids, and says what it did', async () => {
    const { stdout, stderr } = await succeed([
      'add',
      at('plain'),
      at('ragged'),
      '--precision',
      'float32',
    ]);
    expect(stdout).toBe(
      `${at('plain')}: 20 added; 20 documents\nNext:\n  lemur search ${at('plain')} --vectors ` +
        'query.npy\n',
    );
    expect(stderr).toMatch(/^add documents …\nadd documents: [\d.]+ s\n$/);
    expect((await readdir(at('plain'))).sort()).toEqual(['index.json', 'segment.1.safetensors']);
    expect(await infoOf(at('plain'))).toMatchObject({
      documents: 20,
      tokens: 90,
      dim: 6,
      precision: 'float32',
      features: 'exact',
    });
    const index = await Index.open(at('plain'));
    const query = { data: even.vectors.slice(0, 18), dims: [3, 6] };
    const { hits } = await index.search(query, { k: 20 });
    const [scores] = plainMaxSim({ vectors: query.data, counts: Int32Array.of(3), dim: 6 }, ragged);
    expect(hits.map(({ id }) => id).sort()).toEqual(
      Array.from({ length: 20 }, (_, i) => String(i)).sort(),
    );
    for (const { id, score } of hits) expect(score).toBeCloseTo(scores[Number(id)], 4);
    await index.close();
  });

  test('gets the same bytes from every form that the vectors may have', async () => {
    const { vectors, counts, dim } = even;
    await succeed(['add', at('from-folder'), at('even')]);
    const expected = await contents(at('from-folder'));
    const cube = writeNpy({ shape: [20, 3, dim], data: vectors });
    const files: Record<string, Uint8Array> = {
      'cube.npy': cube,
      'halves.npy': halfNpy([20, 3, dim], vectors),
      'doubles.npy': writeNpy({ shape: [20, 3, dim], data: Float64Array.from(vectors) }),
      'tokens.safetensors': tensorsOf(even, 'tokens', false),
      'vectors.safetensors': tensorsOf(even, 'vectors', true),
    };
    for (const [name, bytes] of Object.entries(files)) {
      await writeFile(at(name), bytes);
      await succeed(['add', at(`${name}.out`), at(name)]);
      expect(await contents(at(`${name}.out`)), name).toEqual(expected);
    }
    for (const [i, bytes] of [cube, tensorsOf(even, 'tokens', true)].entries()) {
      await succeed(['add', at(`piped-${i}`), '-'], bytes);
      expect(await contents(at(`piped-${i}`))).toEqual(expected);
    }
    await writeTokenFolder(at('wide-counts'), even);
    await writeFile(
      at('wide-counts/counts.npy'),
      writeNpy({ shape: [20], data: Float64Array.from(counts) }),
    );
    await writeFile(at('wide-counts/tokens.npy'), halfNpy([60, dim], vectors));
    await succeed(['add', at('wide-counts.out'), at('wide-counts')]);
    expect(await contents(at('wide-counts.out'))).toEqual(expected);
  });

  test('skips what is there, replaces it, or stops, as it is told', async () => {
    const ids = Array.from({ length: 20 }, (_, i) => `page ${i}`);
    const lines = (text: string): string =>
      ids
        .map((id, i) =>
          JSON.stringify({ id, title: id, text: `${text} of ${id}`, metadata: { year: 1990 + i } }),
        )
        .join('\n');
    await writeTokenFolder(at('told'), ragged, { 'documents.jsonl': lines('Text') });
    await succeed(['add', at('pages'), at('told')]);
    const before = await contents(at('pages'));
    const again = await succeed(['add', at('pages'), at('told')]);
    expect(again.stdout).toContain(
      '0 added, 20 skipped, which are there already (--replace puts them in anew); 20 documents',
    );
    expect(await contents(at('pages'))).toEqual(before);
    await writeFile(at('told/documents.jsonl'), lines('Words'));
    const { stdout } = await succeed(['add', at('pages'), at('told'), '--replace', '--json']);
    expect(JSON.parse(stdout)).toEqual({
      index: at('pages'),
      added: 0,
      replaced: 20,
      skipped: 0,
      documents: 20,
    });
    const index = await Index.open(at('pages'));
    expect(await index.get('page 3')).toEqual({
      id: 'page 3',
      text: 'page 3 Words of page 3',
      metadata: { title: 'page 3', year: 1993 },
    });
    await index.close();
  });
});

describe('delete, compact, verify', () => {
  test('take documents out by id and by metadata, give their place back, and find damage', async () => {
    const counts = async (): Promise<unknown[]> => {
      const { documents, deleted } = await infoOf(at('pages'));
      return [documents, deleted];
    };
    expect((await succeed(['delete', at('pages'), 'page 3', 'page 99'])).stdout).toBe(
      `${at('pages')}: 1 deleted, 1 not there; 19 documents\n`,
    );
    const filtered = await succeed([
      'delete',
      at('pages'),
      '--filter',
      '{"year":{"$lt":1995}}',
      '--json',
    ]);
    expect(JSON.parse(filtered.stdout)).toMatchObject({ deleted: 4, documents: 15 });
    expect(await counts()).toEqual([15, 5]);
    expect((await succeed(['compact', at('pages')])).stdout).toMatch(
      /1 segment, .* before; 1 segment, .* now/,
    );
    expect(await counts()).toEqual([15, 0]);
    expect((await succeed(['verify', at('pages')])).stdout).toMatch(/all is well: 2 files, /);

    await cp(at('pages'), at('damaged'), { recursive: true });
    const [name] = (await readdir(at('damaged'))).filter((file) => file.startsWith('segment'));
    const bytes = await readFile(at(`damaged/${name}`));
    bytes[bytes.length - 3] ^= 1;
    await writeFile(at(`damaged/${name}`), bytes);
    const { code, stdout, stderr } = await runCli(['verify', at('damaged')]);
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/^\S+segment\S+: checksum \d+, expected \d+: the file is damaged\n$/),
    ]);
    expect(stderr).toMatch(/\nlemur: \S+damaged: 1 problem\n$/);
    await rm(at(`damaged/${name}`));
    expect((await runCli(['search', at('damaged'), '--vectors', at('even')])).stderr).toMatch(
      /^lemur: [^\n]*damaged[^\n]*\n$/,
    );
  });
});

describe('fit and tune', () => {
  test('learn in place, or a source with --out, the same', async () => {
    await succeed(['add', at('two-steps'), at('even'), '--features', 'random']);
    const learned = await succeed(['fit', at('two-steps'), ...SMALL]);
    expect(learned.stdout).toContain('random features of 20 documents; lemur tune measures');
    await succeed(['fit', at('even'), '--out', at('one-step'), ...SMALL]);
    expect(await contents(at('one-step'))).toEqual(await contents(at('two-steps')));
    const before = await contents(at('one-step'));
    const again = await succeed(['fit', at('even'), '--out', at('one-step'), ...SMALL]);
    expect(again.stderr).not.toContain('fit …');
    expect(await contents(at('one-step'))).toEqual(before);
    await succeed(['fit', at('even'), '--out', at('one-step'), ...SMALL, '--seed', '4']);
    expect(await contents(at('one-step'))).not.toEqual(before);
  });

  test('stay with exact search where documents are few and nothing else was asked for', async () => {
    const { stdout } = await succeed(['fit', at('even'), '--out', at('few')]);
    expect(stdout).toContain('searches are exact, which is quick enough for 20 documents');
  });

  test('learn from other vectors when they are given, by training', async () => {
    await writeTokenFolder(at('queries'), tokensOf(9, 6, 3));
    const args = ['--features', 'trained', '--final-hidden-dim', '8', '--epochs', '1', '--json'];
    await succeed(['fit', at('even'), '--out', at('own'), ...args]);
    const { stdout } = await succeed([
      'fit',
      at('even'),
      '--out',
      at('learned'),
      '--learn',
      at('queries'),
      ...args,
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      added: 20,
      stats: { features: 'trained', fittedDocuments: 20 },
    });
    const modelOf = async (index: string): Promise<unknown> =>
      (await contents(index)).get('model.3.safetensors');
    expect(await modelOf(at('learned'))).toBeDefined();
    expect(await modelOf(at('learned'))).not.toEqual(await modelOf(at('own')));
  });

  test('measure recall, which searches then aim at', async () => {
    await writeTokenFolder(at('many'), tokensOf(900, 6, 5));
    await succeed(['fit', at('many'), '--out', at('tuned'), ...SMALL]);
    const untuned = await runCli([
      'search',
      at('tuned'),
      '--vectors',
      at('queries'),
      '--recall',
      '0.9',
    ]);
    expect([untuned.code, untuned.stderr]).toEqual([
      1,
      expect.stringContaining('run `lemur tune` once'),
    ]);
    const { stdout } = await succeed([
      'tune',
      at('tuned'),
      '--recall',
      '0.5',
      '-k',
      '5',
      '--sample',
      '20',
      '--json',
    ]);
    const { points, numCandidates, target } = JSON.parse(stdout);
    expect({ target, first: points[0][0] }).toEqual({ target: 0.5, first: 5 });
    const { stdout: found } = await succeed([
      'search',
      at('tuned'),
      '--vectors',
      at('queries'),
      '--json',
      '-k',
      '5',
    ]);
    const [first] = found.split('\n').map((line) => line && JSON.parse(line));
    expect(first.how).toEqual({
      method: 'features',
      candidates: numCandidates,
      passing: 900,
      documents: 900,
    });
    expect((await succeed(['tune', at('tuned'), '--queries', at('queries')])).stdout).toMatch(
      /By 9 queries given\. For a recall of 0\.95/,
    );
  });
});

describe('a writer', () => {
  test('bars others until it is interrupted, which gives the lock back', async () => {
    await writeTokenFolder(at('large'), tokensOf(3000, 16, 4));
    await succeed(['add', at('busy'), at('large'), '--features', 'trained']);
    let second: Promise<unknown> | undefined;
    const slow = [
      'fit',
      at('busy'),
      '--final-hidden-dim',
      '256',
      '--epochs',
      '1000',
      '--learn-subset-size',
      '4000',
    ];
    const before = await contents(at('busy'));
    const first = await runCli(slow, (child, stderr) => {
      if (second || !stderr.includes('fit …')) return;
      second = runCli(['delete', at('busy'), '1']).then((outcome) => {
        child.kill('SIGINT');
        return outcome;
      });
    });
    expect(await second).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^lemur: [^\n]*(locked|held|writ)[^\n]*\n$/),
    });
    expect(first).toMatchObject({
      code: 130,
      stdout: '',
      stderr: expect.stringMatching(/\ninterrupted\n$/),
    });
    expect(await contents(at('busy'))).toEqual(before);
    await succeed(['delete', at('busy'), '1']);
  });
});
