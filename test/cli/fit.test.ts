import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readNpy, writeNpy } from '../../src/formats/npy.js';
import { writeSafetensors } from '../../src/formats/safetensors.js';
import { runCli, succeed } from './run-cli.js';
import { halfNpy, type Tokens, tokensOf, writeTokenFolder } from './token-data.js';

const SMALL = ['--final-hidden-dim', '8', '--epochs', '1'];
const even = tokensOf(20, 6, 1, () => 3);
const ragged = tokensOf(20, 6, 2);

let folder: string;
let at: (name: string) => string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-fit-'));
  at = (name) => join(folder, name);
  await writeTokenFolder(at('ragged'), ragged);
  await writeTokenFolder(at('even'), even);
});
afterAll(() => rm(folder, { recursive: true }));

/** What matters of a collection: vectors, counts, what was learned. */
async function contents(collection: string): Promise<Buffer[]> {
  const names = ['tokens.npy', 'counts.npy', 'documents.jsonl', 'lemur/model.1.safetensors', 'lemur/weights.1.safetensors'];
  return Promise.all(names.map((name) => readFile(join(collection, name))));
}

function tensorsOf({ vectors, counts, dim }: Tokens, name: string, wide: boolean): Uint8Array {
  return writeSafetensors({
    [name]: { shape: [vectors.length / dim, dim], data: vectors },
    counts: { shape: [counts.length], data: wide ? BigInt64Array.from(counts, BigInt) : counts },
  });
}

describe('fit on token vectors', () => {
  test('writes a collection with the vectors, numbers as ids, and what was learned', async () => {
    const { stdout, stderr } = await succeed(['fit', at('ragged'), '--out', at('plain'), '--seed', '5', ...SMALL]);
    expect(stdout).toMatch(/plain: 20 documents, 90 token vectors\nMade in: texts .*fit .*\nNext:\n {2}lemur search .*--vectors/);
    expect(stderr).toContain('fit the reduction …\n');
    expect((await readdir(at('plain'))).sort()).toEqual(['collection.json', 'counts.npy', 'documents.jsonl', 'lemur', 'tokens.npy']);
    expect(readNpy(await readFile(at('plain/tokens.npy')))).toMatchObject({ shape: [90, 6], data: ragged.vectors });
    expect(readNpy(await readFile(at('plain/counts.npy')))).toMatchObject({ shape: [20], data: ragged.counts });
    const ids = (await readFile(at('plain/documents.jsonl'), 'utf8')).trim().split('\n');
    expect(ids.map((line) => JSON.parse(line)._id)).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
    const { plan } = JSON.parse(await readFile(at('plain/collection.json'), 'utf8'));
    expect(plan).toMatchObject({ documents: 20, dim: 6, learn: { finalHiddenDim: 8, epochs: 1, seed: 5 } });
    const { options } = JSON.parse(await readFile(at('plain/lemur/lemur.json'), 'utf8'));
    expect(options).toMatchObject({ finalHiddenDim: 8, epochs: 1, seed: 5, activation: 'gelu' });
  });

  test('gets the same bytes from every form that the vectors may have', async () => {
    const { vectors, counts, dim } = even;
    await succeed(['fit', at('even'), '--out', at('even-folder'), ...SMALL]);
    const expected = await contents(at('even-folder'));
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
      await succeed(['fit', at(name), '--out', at(`${name}.out`), ...SMALL]);
      expect(await contents(at(`${name}.out`)), name).toEqual(expected);
    }
    for (const bytes of [cube, tensorsOf(even, 'tokens', true)]) {
      await succeed(['fit', '-', '--out', at('piped'), '--fresh', ...SMALL], bytes);
      expect(await contents(at('piped'))).toEqual(expected);
    }
    await writeTokenFolder(at('wide-counts'), even);
    await writeFile(at('wide-counts/counts.npy'), writeNpy({ shape: [20], data: Float64Array.from(counts) }));
    await writeFile(at('wide-counts/tokens.npy'), halfNpy([60, dim], vectors));
    await succeed(['fit', at('wide-counts'), '--out', at('wide-counts.out'), ...SMALL]);
    expect(await contents(at('wide-counts.out'))).toEqual(expected);
  });

  test('takes ids and texts that lie beside, and prints JSON', async () => {
    const ids = Array.from({ length: 20 }, (_, i) => `page ${i}`);
    await writeTokenFolder(at('named'), ragged, { 'ids.txt': `${ids.join('\n')}\n` });
    const { stdout } = await succeed([
      'fit',
      at('named'),
      '--out',
      at('named.out'),
      '--random-features',
      '--final-hidden-dim',
      '8',
      '--json',
    ]);
    const { folder: out, counts, encoder, plan } = JSON.parse(stdout);
    expect(out).toBe(at('named.out'));
    expect(counts).toEqual({ documents: 20, tokens: 90, queries: 0, queryTokens: 0 });
    expect(encoder).toBeNull();
    expect(plan.learn).toEqual({ finalHiddenDim: 8, epochs: 0 });
    expect(await readFile(at('named.out/documents.jsonl'), 'utf8')).toContain('{"_id":"page 19","title":"","text":""}\n');
    const lines = ids.map((id) => JSON.stringify({ id, title: id, text: `Text of ${id}` }));
    await writeTokenFolder(at('told'), ragged, { 'documents.jsonl': lines.join('\n') });
    await succeed(['fit', at('told'), '--out', at('told.out'), ...SMALL]);
    expect(await readFile(at('told.out/documents.jsonl'), 'utf8')).toContain('{"_id":"page 3","title":"page 3","text":"Text of page 3"}\n');
  });

  test('learns from other vectors when they are given', async () => {
    await writeTokenFolder(at('queries'), tokensOf(9, 6, 3));
    await succeed(['fit', at('even'), '--out', at('learned'), '--learn', at('queries'), ...SMALL]);
    const [tokens, , , model] = await contents(at('learned'));
    const [sameTokens, , , otherModel] = await contents(at('even-folder'));
    expect(tokens).toEqual(sameTokens);
    expect(model).not.toEqual(otherModel);
  });

  test('goes on with what is there, refuses another plan, and starts over with --fresh', async () => {
    const again = await succeed(['fit', at('even'), '--out', at('even-folder'), ...SMALL]);
    expect(again.stderr).toContain('fit the reduction: done before');
    // the same vectors in another place are the same source
    expect((await succeed(['fit', at('cube.npy'), '--out', at('even-folder'), ...SMALL])).stderr).toContain('done before');
    const refused = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await runCli(['fit', ...args, '--out', at('even-folder')]);
      expect([code, stdout]).toEqual([1, '']);
      return stderr;
    };
    expect(await refused(at('even'), '--final-hidden-dim', '8', '--epochs', '2')).toMatch(/epochs 1, not .*epochs 2: use --fresh/);
    expect(await refused(at('ragged'), ...SMALL)).toMatch(/was made with 20 documents .*SHA-256 \w+.* --fresh/);
    await succeed(['fit', at('ragged'), '--out', at('even-folder'), '--fresh', ...SMALL]);
    expect(readNpy(await readFile(at('even-folder/tokens.npy'))).shape).toEqual([90, 6]);
  });

  test('leaves a folder alone that it did not make', async () => {
    await writeTokenFolder(at('mine'), ragged);
    for (const args of [[], ['--fresh']]) {
      const { code, stderr } = await runCli(['fit', at('even'), '--out', at('mine'), ...args]);
      expect(code).toBe(1);
      expect(stderr).toContain('has other things in it');
    }
    const itself = await runCli(['fit', at('plain'), '--out', at('plain'), '--fresh']);
    expect(itself.stderr).toContain('the source itself');
    expect((await readdir(at('mine'))).sort()).toEqual(['counts.npy', 'tokens.npy']);
  });
});

describe('Ctrl-C', () => {
  const slow = ['--final-hidden-dim', '64', '--epochs', '100', '--learn-subset-size', '1500'];

  test('in the middle of fit leaves nothing half-written; a second run ends with the bytes of one that was left alone', async () => {
    await writeTokenFolder(at('large'), tokensOf(300, 16, 4));
    const fitInto = (out: string): string[] => ['fit', at('large'), '--out', at(out), ...slow];
    let sent = false;
    const interrupted = await runCli(fitInto('stopped'), (child, stderr) => {
      if (sent || !stderr.includes('fit the reduction …')) return;
      sent = true;
      setTimeout(() => child.kill('SIGINT'), 60);
    });
    expect(interrupted).toMatchObject({ code: 130, stdout: '' });
    expect(interrupted.stderr).toMatch(/\ninterrupted\n$/);
    expect((await readdir(at('stopped'))).sort()).toEqual(['counts.npy', 'documents.jsonl', 'run.json', 'tokens.npy']);
    const early = await runCli(['search', at('stopped'), '--vectors', at('even')]);
    expect(early).toMatchObject({ code: 1, stderr: expect.stringContaining('has not finished') });
    expect(JSON.parse((await succeed(['info', at('stopped'), '--json'])).stdout).kind).toBe('unfinished collection');

    const second = await succeed(fitInto('stopped'));
    expect(second.stderr).toContain('copy vectors: done before');
    await succeed(fitInto('undisturbed'));
    expect(await contents(at('stopped'))).toEqual(await contents(at('undisturbed')));
  });

  test('sweeps what a crash left under a temporary name', async () => {
    await cp(at('stopped'), at('crashed'), { recursive: true });
    for (const name of ['collection.json', 'lemur']) await rm(at(`crashed/${name}`), { recursive: true });
    await writeFile(at('crashed/tokens.npy.tmp'), 'half');
    const { plan } = JSON.parse(await readFile(at('stopped/collection.json'), 'utf8'));
    await writeFile(at('crashed/run.json'), JSON.stringify({ plan, stages: {} }));
    await succeed(['fit', at('large'), '--out', at('crashed'), ...slow]);
    expect(await readdir(at('crashed'))).not.toContain('tokens.npy.tmp');
    expect(await contents(at('crashed'))).toEqual(await contents(at('undisturbed')));
  });
});
