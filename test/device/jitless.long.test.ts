import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type * as EncoderModule from '../../dist/entry/node-encoder.js';
import { smallColbert, writeFiles } from '../encoder/small-checkpoint.js';
import { built, LEMUR, runScriptWith } from '../run-script.js';

const { loadEncoder } = (await import(
  new URL('../../dist/entry/node-encoder.js', import.meta.url).href
)) as typeof EncoderModule;
const root = await mkdtemp(join(tmpdir(), 'lemur-jitless-'));
afterAll(() => rm(root, { recursive: true }));

/** Says once what is missing; the engine has a line of its own. */
const WARNING =
  /lemur: WebAssembly is missing here \(.*\); the plain kernels are many times slower/;
const MISSING = /Warning: disabling flag --expose_wasm.*\n?/g;

async function both(script: string, ...args: string[]): Promise<{ plain: string; fast: string }> {
  const outputs = await Promise.all(
    ['--jitless', '--no-warnings'].map((flag) =>
      runScriptWith([flag], script, ...args, join(root, flag.slice(2))),
    ),
  );
  const [plain, fast] = outputs;
  expect(fast).toMatchObject({ code: 0, stderr: '' });
  expect(plain.code, plain.stderr).toBe(0);
  expect(plain.stderr.replace(MISSING, '').trim()).toMatch(new RegExp(`^${WARNING.source}$`));
  return { plain: plain.stdout, fast: fast.stdout };
}

describe('an engine without WebAssembly (node --jitless) gives the same answers', () => {
  test('as a collection on disk, with threads, is made, learned, searched and opened again', async () => {
    const { plain, fast } = await both(`
      const { Index } = await import(${LEMUR});
      const documents = Array.from({ length: 300 }, (_, i) => ({
        id: String(i), text: 'text ' + i, metadata: { even: i % 2 === 0 },
        tokens: Array.from({ length: 3 }, (_, t) => Array.from({ length: 8 }, (_, c) => Math.sin(1 + i * 31 + t * 7 + c * c))),
      }));
      const folder = process.argv.at(-1);
      const index = await Index.create(folder, { dim: 8, threads: 2 });
      await index.add(documents);
      await index.fit({ epochs: 1, finalHiddenDim: 32, olsSampleSize: 64, trainSubsetSize: 64 });
      await index.delete(['7']);
      const query = documents[42].tokens;
      const first = await index.search(query, { k: 5, filter: { even: true } });
      await index.close();
      const again = await Index.open(folder, { threads: 2 });
      const second = await again.search(query, { k: 5 });
      const { problems } = await again.verify();
      await again.close();
      console.log(first.hits.map(({ id }) => id).join(), second.hits.map(({ id }) => id).join(), problems.length);`);
    expect(plain).toBe(fast);
    expect(plain).toMatch(/^(\d+,?){5} (\d+,?){5} 0$/);
  });

  test('as features are learned and vectors are scored', async () => {
    const { plain, fast } = await both(`
      const { Lemur, MaxSim, init } = await import(${LEMUR});
      const documents = Array.from({ length: 40 }, (_, i) =>
        Array.from({ length: 2 }, (_, t) => Array.from({ length: 4 }, (_, c) => Math.sin(1 + i * 31 + t * 7 + c * c))));
      const lemur = await Lemur.fit(documents, { epochs: 1, finalHiddenDim: 16, threads: 2, seed: 1 });
      const { indices } = await lemur.candidates([documents[3]], 40);
      const exact = await MaxSim.create(documents, { threads: 1 });
      const { scores } = await exact.search([documents[3]], 3);
      const refused = await init({ wasm: new Uint8Array(8) }).catch(({ name }) => name);
      console.log(new Set(indices).size, [...scores].map((score) => score.toFixed(4)).join(), refused);`);
    expect(plain).toBe(fast);
  });

  test('as texts are encoded; ONNX Runtime for the web, which is WebAssembly, says that it does not start', async () => {
    const model = await writeFiles(join(root, 'model'), smallColbert());
    const script = `
      const { loadEncoder } = await import(${built('entry/node-encoder.js')});
      const encoder = await loadEncoder(${JSON.stringify(model)}, { threads: 1 });
      const { vectors } = await encoder.encodeQuery(['red owls']);
      await encoder.close();
      console.log([...vectors].map((value) => value.toFixed(4)).join());
      console.log(await loadEncoder(${JSON.stringify(model)}, { threads: 1, runtime: 'web' }).then(() => 'runs', ({ code }) => code));
      process.exit();`;
    const { stdout } = await runScriptWith(['--jitless'], script);
    const [vectors, web] = stdout.split('\n');
    expect(web).toBe('unsupported');
    const encoder = await loadEncoder(model, { threads: 1 });
    const expected = (await encoder.encodeQuery(['red owls'])).vectors;
    await encoder.close();
    expect(vectors).toBe([...expected].map((value) => value.toFixed(4)).join());
  });
});
