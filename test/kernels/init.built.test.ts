import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { init, LemurError } from '../../dist/entry/node.js';
import { built, LEMUR, runScript } from '../run-script.js';

const wasmFile = (name: string): URL => new URL(`../../dist/${name}.wasm`, import.meta.url);
const url = (name: string): string => JSON.stringify(wasmFile(name).href);
const path = (name: string): string => JSON.stringify(fileURLToPath(wasmFile(name)));

/**
 * A fit and an answer; prints a sum over the weights' bits, which tells the kernels' bytes apart
 * from the plain ones', and the answer.
 */
const FIT = `
  const vectors = Float32Array.from({ length: 600 * 32 }, (_, i) => Math.sin(i * i + 1));
  const documents = { vectors, counts: new Array(60).fill(10), dim: 32 };
  const fit = async () => {
    const lemur = await Lemur.fit(documents, { finalHiddenDim: 64, epochs: 2 });
    const bits = new Uint32Array((await lemur.W).buffer);
    const { indices } = await lemur.candidates([[[...vectors.subarray(0, 32)]]], 5);
    return bits.reduce((sum, word) => (Math.imul(sum, 31) + word) >>> 0, 7) + ' ' + indices.join();
  };`;
/** Counts how often the kernels are compiled; fetch compiles a module of its own. */
const COUNT = `
  const compile = WebAssembly.compile;
  let compiled = 0;
  WebAssembly.compile = (bytes) => ((compiled += Buffer.from(bytes).includes('lemur') ? 1 : 0), compile(bytes));`;
const IMPORTS = `
  import { readFile } from 'node:fs/promises';
  import { init, Lemur } from ${LEMUR};`;

describe('after init the bytes are those of the inlined kernels', async () => {
  let expected: string;
  beforeAll(async () => {
    expected = (await runScript(`${IMPORTS}${FIT} console.log(await fit());`)).stdout;
  });

  test.each([
    ['a module for shared memory', `await compile(await readFile(${path('kernels-shared')}))`, 0],
    ['bytes of kernels.wasm', `await readFile(${path('kernels')})`, 1],
    [
      'an ArrayBuffer of kernels-shared.wasm',
      `Uint8Array.from(await readFile(${path('kernels-shared')})).buffer`,
      1,
    ],
    [
      'a view in the middle of a buffer',
      `Buffer.concat([Buffer.alloc(5), await readFile(${path('kernels')})]).subarray(5)`,
      1,
    ],
    ['a file: URL', `new URL(${url('kernels')})`, 1],
    ['a file: URL as text', url('kernels-shared'), 1],
    ['a path', path('kernels'), 1],
    [
      'a data: URL',
      `'data:application/wasm;base64,' + (await readFile(${path('kernels')})).toString('base64')`,
      1,
    ],
  ])('given %s', async (_name, wasm, compilations) => {
    const { stdout, stderr, code } = await runScript(`${IMPORTS}${COUNT}${FIT}
      await init({ wasm: ${wasm} });
      console.log(await fit());
      console.error(compiled);`);
    expect({ stdout, compiled: stderr, code }).toEqual({
      stdout: expected,
      compiled: String(compilations),
      code: 0,
    });
  });

  test('given a module where memory is not shared and compiling is forbidden, as on edge runtimes', async () => {
    const { stdout, stderr, code } = await runScript(`
      import { readFile } from 'node:fs/promises';
      import { init, Lemur } from ${built('entry/edge.js')};${FIT}
      const wasm = await WebAssembly.compile(await readFile(${path('kernels')}));
      WebAssembly.compile = async () => { throw new WebAssembly.CompileError('disallowed by embedder'); };
      await init({ wasm });
      console.log(await fit());`);
    expect({ stdout, stderr, code }).toEqual({ stdout: expected, stderr: '', code: 0 });
  });

  test('when it is not awaited, called twice, and called again after the first computation with the same module', async () => {
    const { stdout, code } = await runScript(`${IMPORTS}${COUNT}${FIT}
      const wasm = new URL(${url('kernels')});
      init({ wasm });
      const answer = fit();
      await init({ wasm: wasm.href });
      console.log(await answer);
      await init({ wasm });
      if (compiled !== 1) throw new Error('compiled ' + compiled);`);
    expect({ stdout, code }).toEqual({ stdout: expected, code: 0 });
  });

  test('when it failed', async () => {
    const { stdout, code } = await runScript(`${IMPORTS}${FIT}
      const failed = init({ wasm: new Uint8Array(3) }).catch((error) => error.code);
      const answer = fit();
      if ((await failed) !== 'bad-file') throw new Error(await failed);
      console.log(await answer);`);
    expect({ stdout, code }).toEqual({ stdout: expected, code: 0 });
  });

  test('where compiling is forbidden and nothing was given, the plain kernels answer after one warning that names init', async () => {
    const { stdout, stderr } = await runScript(`
      import { Lemur } from ${built('entry/edge.js')};${FIT}
      WebAssembly.compile = async () => { throw new WebAssembly.CompileError('disallowed by embedder'); };
      console.log((await fit()).split(' ')[1]);`);
    expect(stdout).toBe(expected.split(' ')[1]);
    expect(stderr).toBe(
      'lemur: compiling WebAssembly is forbidden here, init({ wasm }) takes compiled kernels ' +
        '(disallowed by embedder); the plain kernels are many times slower',
    );
  });
});

test('init after the first computation is refused', async () => {
  const { stdout } = await runScript(`${IMPORTS}${FIT}
    await fit();
    await init({ wasm: ${url('kernels')} }).catch((error) => console.log(error.name, error.code, error.message));`);
  expect(stdout).toBe(
    'LemurError invalid-argument init: called after the first computation, expected before it',
  );
});

describe('init refuses', () => {
  const server = createServer((request, response) => {
    if (request.url === '/page')
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>Home</title>');
    else if (request.url === '/kernels.wasm')
      void readFile(wasmFile('kernels')).then((bytes) => response.end(bytes));
    else response.writeHead(404).end('nothing here');
  });
  const at = (pathname: string): string =>
    `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`;
  beforeAll(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => new Promise<void>((resolve) => void server.close(() => resolve())));

  const refusal = async (wasm: unknown): Promise<LemurError> => {
    const error: unknown = await init({ wasm: wasm as object }).then(
      () => 'accepted',
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(LemurError);
    return error as LemurError;
  };

  test.each([
    ['nothing', undefined, 'got undefined'],
    ['null', null, 'got null'],
    ['a number', 7, 'got number'],
    [
      'an instance',
      new WebAssembly.Instance(
        new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)),
      ),
      'got an object (WebAssembly.Instance)',
    ],
    ['a promise that was not awaited', Promise.resolve(), 'got an object (Promise)'],
  ])('%s', async (_name, wasm, got) => {
    const { code, message } = await refusal(wasm);
    expect({ code, message }).toEqual({
      code: 'invalid-argument',
      message: `init: wasm: ${got}, expected a WebAssembly.Module, its bytes, or a URL`,
    });
  });

  test('no argument at all', async () => {
    await expect((init as () => Promise<void>)()).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });

  test('a web page in place of the module, and says how it begins', async () => {
    const { code, message } = await refusal(at('/page'));
    expect(code).toBe('bad-file');
    expect(message).toBe(
      `init: ${at('/page')}: got 34 bytes that begin with "<!doctype html><title>Ho", ` +
        'expected a WebAssembly binary',
    );
  });

  test('a URL with nothing behind it', async () => {
    const { code, message } = await refusal(at('/missing.wasm'));
    expect({ code, message }).toEqual({
      code: 'not-found',
      message: `${at('/missing.wasm')}: got status 404 Not Found, expected 200`,
    });
  });

  test('a server that does not answer', async () => {
    expect(await refusal('http://127.0.0.1:1/kernels.wasm')).toMatchObject({
      code: 'not-found',
      fields: { where: 'http://127.0.0.1:1/kernels.wasm' },
    });
  });

  test('a file that is not there', async () => {
    const missing = wasmFile('missing');
    expect(await refusal(missing)).toMatchObject({
      code: 'not-found',
      fields: { where: missing.href },
    });
  });

  test('no bytes, among them those that were transferred away', async () => {
    const gone = Uint8Array.from(await readFile(wasmFile('kernels')));
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    for (const wasm of [new ArrayBuffer(0), gone, gone.buffer]) {
      expect((await refusal(wasm)).message).toBe(
        'init: wasm: got 0 bytes that begin with "", expected a WebAssembly binary',
      );
    }
  });

  test('a binary that was cut off', async () => {
    const { code, message } = await refusal(
      (await readFile(wasmFile('kernels'))).subarray(0, 9000),
    );
    expect(code).toBe('bad-file');
    expect(message).toContain(
      'got 9000 bytes that are no valid WebAssembly binary, expected lemur/kernels.wasm (',
    );
  });

  test('a module of something else, as bytes and compiled', async () => {
    // imports a.f, exports nothing
    const bytes = Uint8Array.of(
      0,
      0x61,
      0x73,
      0x6d,
      1,
      0,
      0,
      0,
      1,
      4,
      1,
      0x60,
      0,
      0,
      2,
      7,
      1,
      1,
      0x61,
      1,
      0x66,
      0,
      0,
    );
    for (const wasm of [bytes, new WebAssembly.Module(bytes)]) {
      const { code, message } = await refusal(wasm);
      expect(code).toBe('bad-file');
      expect(message).toBe(
        'init: wasm: got a module that imports a.f and exports nothing, ' +
          'expected lemur/kernels.wasm',
      );
    }
  });

  test('the kernels of another version', async () => {
    const bytes = await readFile(wasmFile('kernels-shared'));
    bytes.write('0123456789abcdef', bytes.length - 16, 'latin1');
    const { code, message } = await refusal(bytes);
    expect(code).toBe('bad-file');
    expect(message).toMatch(
      /^init: wasm: got the kernels of another version \(0123456789abcdef\), expected lemur\/kernels\.wasm of this one \([0-9a-f]{16}\)$/,
    );
  });

  test('a module for unshared memory where memory is shared, and the other way round', async () => {
    const { code, message } = await refusal(
      new WebAssembly.Module(await readFile(wasmFile('kernels'))),
    );
    expect(code).toBe('unsupported');
    expect(message).toBe(
      'init: got lemur/kernels.wasm, expected lemur/kernels-shared.wasm where memory is ' +
        'shared, or the bytes of either',
    );
    const { stdout } = await runScript(`
      import { readFile } from 'node:fs/promises';
      import { init } from ${built('entry/edge.js')};
      const wasm = await WebAssembly.compile(await readFile(${path('kernels-shared')}));
      await init({ wasm }).catch((error) => console.log(error.code, error.message));`);
    expect(stdout).toBe(
      'unsupported init: got lemur/kernels-shared.wasm, expected lemur/kernels.wasm where ' +
        'memory is not shared, or the bytes of either',
    );
  });

  test('bytes where compiling is forbidden', async () => {
    const { stdout } = await runScript(`
      import { readFile } from 'node:fs/promises';
      import { init } from ${built('entry/edge.js')};
      WebAssembly.compile = async () => { throw new WebAssembly.CompileError('disallowed by embedder'); };
      await init({ wasm: await readFile(${path('kernels')}) }).catch((error) => console.log(error.code, error.message));`);
    expect(stdout).toBe(
      'unsupported init: compiling WebAssembly is forbidden here, ' +
        'expected a WebAssembly.Module (disallowed by embedder)',
    );
  });

  // the last one: it leaves the kernels of this process behind
  test('nothing that is right, from the same server', async () => {
    await expect(init({ wasm: new URL(at('/kernels.wasm')) })).resolves.toBeUndefined();
  });
});
