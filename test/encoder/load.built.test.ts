import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import type * as RunnerModule from '../../dist/encoder/runtime/body-runner.js';
import type { StartMessage, WorkerMessage } from '../../dist/encoder/runtime/worker-protocol.js';
import type * as EncoderModule from '../../dist/entry/node-encoder.js';
import { built, runScript } from '../run-script.js';
import { smallColbert, writeFiles } from './small-checkpoint.js';

const file = (path: string): string => new URL(`../../dist/${path}`, import.meta.url).href;
const { loadEncoder } = (await import(file('entry/node-encoder.js'))) as typeof EncoderModule;
const { startBody } = (await import(file('encoder/runtime/body-runner.js'))) as typeof RunnerModule;
const root = await mkdtemp(join(tmpdir(), 'lemur-load-'));
afterAll(() => rm(root, { recursive: true }));
const model = await writeFiles(join(root, 'model'), smallColbert());

describe('loadEncoder', () => {
  test('takes a path and a file: URL, as an object or a string, and reports from the start to the end', async () => {
    const url = pathToFileURL(`${model}/`);
    const ids = new Set<string>();
    for (const place of [model, url, url.href]) {
      const reports: string[] = [];
      const encoder = await loadEncoder(place, {
        threads: 1,
        onProgress: ({ stage, done, total }) => reports.push(`${stage} ${done}/${total}`),
      });
      ids.add(encoder.id);
      expect(reports[0]).toBe('load 0/3');
      expect(reports.at(-1)).toBe('load 3/3');
      await encoder.close();
    }
    expect(ids.size).toBe(1);
  });

  test.each([
    [
      new URL('https://example.org/model/'),
      'unsupported',
      /https:\/\/example\.org\/model\/.*from a folder/,
    ],
    ['http://example.org/model', 'unsupported', /from a folder/],
    [new URL('data:text/plain,x'), 'invalid-argument', /expected a path or a file: URL/],
    ['file:model', 'invalid-argument', /file: URL/],
    [5, 'invalid-argument', /got number/],
    [null, 'invalid-argument', /got null/],
    ['', 'invalid-argument', /an empty string/],
    ['mod\0el', 'invalid-argument', /NUL/],
    [join(root, 'notes.txt'), 'not-found', /notes\.txt: no folder; expected one with config\.json/],
    [join(root, 'notes.txt', 'below'), 'not-found', /below: no folder/],
    ['../no/such/place', 'not-found', /no such folder/],
  ])('says of %j what it is not', async (place, code, message) => {
    await writeFile(join(root, 'notes.txt'), 'text');
    await expect(loadEncoder(place as string)).rejects.toMatchObject({
      name: 'LemurError',
      code,
      message: expect.stringMatching(message),
    });
  });

  test('that is cancelled while the model is made ends at once, and leaves no thread', async () => {
    const { code, stdout, stderr } = await runScript(`
      const { loadEncoder } = await import(${built('entry/node-encoder.js')});
      const stop = new AbortController();
      const onProgress = ({ done }) => { if (done === 2) setTimeout(() => stop.abort(new Error('enough')), 1); };
      await loadEncoder(${JSON.stringify(model)}, { threads: 1, signal: stop.signal, onProgress }).then(
        (encoder) => encoder.close(), (error) => console.log(error.message));`);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'enough', stderr: '' });
  });
});

describe("an encoder's worker that dies", () => {
  test('rejects the calls that wait for it, and the next ones start another', async () => {
    const { stdout } = await runScript(`
      import threads from 'node:worker_threads';
      import { syncBuiltinESMExports } from 'node:module';
      const workers = [];
      let dies = false;
      let missed = () => {};
      const missing = new Promise((resolve) => { missed = resolve; });
      threads.Worker = class extends threads.Worker {
        constructor(...args) { super(...args); workers.push(this); }
        // it never hears of what comes once it is to die
        postMessage(...args) {
          if (!dies || workers.length > 1) super.postMessage(...args);
          else missed();
        }
      };
      syncBuiltinESMExports();
      const { loadEncoder } = await import(${built('entry/node-encoder.js')});
      const encoder = await loadEncoder(${JSON.stringify(model)}, { threads: 1 });
      const before = (await encoder.encodeQuery(['red owls'])).vectors;
      dies = true;
      const waiting = [encoder.encodeQuery(['red']), encoder.encodeQuery(['owls'])].map((call) => call.catch(({ code }) => code));
      // both have been handed to it, or wait behind the one that has
      await missing;
      for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
      await workers[0].terminate();
      console.log(...await Promise.all(waiting));
      const [after] = await Promise.all([encoder.encodeQuery(['red owls']), encoder.encodeQuery(['bee'])]);
      console.log(String(after.vectors) === String(before), workers.length);
      await workers[1].terminate();
      await encoder.close();
      console.log(await encoder.encodeQuery(['red']).catch(({ code }) => code));`);
    expect(stdout.split('\n')).toEqual(['worker-failed worker-failed', 'true 2', 'closed']);
  });

  test('and cannot be started again says why, each time that it is tried', async () => {
    const posted: WorkerMessage[] = [];
    const deaths: ((cause: unknown) => void)[] = [];
    let works = true;
    const spawn = () => {
      let receive: (message: unknown) => void = () => {};
      return {
        post(message: unknown) {
          posted.push(message as WorkerMessage);
          if ((message as WorkerMessage).kind !== 'start') return;
          if (works) queueMicrotask(() => receive({ output: undefined }));
          else
            queueMicrotask(() =>
              receive({ error: { message: 'no memory', stack: undefined, lemur: undefined } }),
            );
        },
        listen(onMessage: (message: unknown) => void, onDeath: (cause: unknown) => void) {
          receive = onMessage;
          deaths.push(onDeath);
        },
        keepAlive() {},
        async terminate() {},
      };
    };
    const runner = await startBody(spawn, { kind: 'start' } as StartMessage, 1);
    const batch = { ids: new Int32Array(1), lengths: Int32Array.of(1), attended: Int32Array.of(1) };
    const first = runner.run(batch, false).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 0));
    deaths[0](new Error('exit code 1'));
    expect(await first).toMatchObject({
      code: 'worker-failed',
      message: "the encoder's worker failed: exit code 1",
    });
    works = false;
    for (let i = 0; i < 2; i++)
      await expect(runner.run(batch, false)).rejects.toMatchObject({
        code: 'worker-failed',
        message: expect.stringContaining('no memory'),
      });
    expect(posted.filter(({ kind }) => kind === 'start')).toHaveLength(3);
    await runner.close();
    await expect(runner.run(batch, false)).rejects.toMatchObject({ code: 'closed' });
  });
});
