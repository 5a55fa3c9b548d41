import { describe, expect, test } from 'vitest';
import { built, LEMUR, runScript, runScriptWith } from '../run-script.js';

const DOCUMENTS = `
  const vectors = Float32Array.from({ length: 600 * 32 }, (_, i) => Math.sin(i * i + 1));
  const documents = { vectors, counts: new Array(60).fill(10), dim: 32 };`;
const OPTIONS = '{ finalHiddenDim: 64, epochs: 3 }';

describe('a script', () => {
  test('that never calls close() ends by itself', async () => {
    const { code, stdout, stderr } = await runScript(`
      import { Lemur, MaxSim } from ${LEMUR};
      ${DOCUMENTS}
      const lemur = await Lemur.fit(documents, ${OPTIONS});
      const exact = await MaxSim.create(documents);
      const queries = [[[...vectors.subarray(0, 32)]]];
      const { indices } = await exact.rerankSubset(queries, 1, await lemur.candidates(queries, 20));
      console.log(indices[0]);`);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '0', stderr: '' });
  });

  test.each(['threads: 1', 'threads: 2'])(
    'whose last statement is a job that nobody awaits still finishes it, %s',
    async (threads) => {
      const { code, stdout, stderr } = await runScript(`
      import { Lemur } from ${LEMUR};
      ${DOCUMENTS}
      Lemur.fit(documents, { ...${OPTIONS}, ${threads} })
        .then((lemur) => lemur.candidates(documents, 3))
        .then(({ indices }) => console.log('found', indices.length));`);
      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'found 180', stderr: '' });
    },
  );

  // V8 needs SSE4.1 for WASM SIMD, and can be told that a processor lacks it
  test.runIf(process.arch === 'x64')(
    'without WASM SIMD warns once and finds the same with the plain kernels',
    async () => {
      const source = `
      import { Lemur } from ${LEMUR};
      ${DOCUMENTS}
      const lemur = await Lemur.fit(documents, { finalHiddenDim: 16, epochs: 0, olsSampleSize: 100, threads: 2 });
      await Lemur.fit(documents, { finalHiddenDim: 16, epochs: 0, olsSampleSize: 100, threads: 1 });
      const { indices } = await lemur.candidates([[[...vectors.subarray(0, 32)]]], 5);
      console.log([...indices].join());`;
      const plain = await runScriptWith(['--no-enable-sse4-1'], source);
      const fast = await runScript(source);
      expect(plain.stderr).toMatch(
        /^lemur: WebAssembly SIMD is missing here \(.*\); the plain kernels are many times slower$/,
      );
      expect(fast.stderr).toBe('');
      expect({ ...plain, stderr: '' }).toEqual(fast);
    },
  );

  test('on unshared memory finishes its jobs and ends too', async () => {
    const { code, stdout, stderr } = await runScript(`
      import { createCpuDevice } from ${built('device/cpu/cpu-device.js')};
      import { nodePlatform } from ${built('entry/node-platform.js')};
      import { Lemur } from ${LEMUR};
      ${DOCUMENTS}
      const device = await createCpuDevice({ ...nodePlatform, sharedMemory: false });
      Lemur.fit(documents, { ...${OPTIONS}, device }).then((lemur) => console.log('fitted', lemur.documents));`);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'fitted 60', stderr: '' });
  });

  test('that idles between two jobs can go on', async () => {
    const { code, stdout } = await runScript(`
      import { MaxSim } from ${LEMUR};
      ${DOCUMENTS}
      const exact = await MaxSim.create(documents);
      for (let i = 0; i < 3; i++) {
        await new Promise((resolve) => setTimeout(resolve, 150));
        console.log((await exact.score([[[...vectors.subarray(0, 32)]]])).length);
      }`);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '60\n60\n60' });
  });
});
