import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type * as CheckpointModule from '../../../dist/encoder/checkpoint/checkpoint.js';
import type * as FilesModule from '../../../dist/encoder/files/checkpoint-files.js';
import type * as ModelModule from '../../../dist/encoder/files/node-model.js';
import type * as EncoderModule from '../../../dist/entry/node-encoder.js';
import { mountSmallDisk } from '../../storage/small-disk.js';
import { smallColbert } from '../small-checkpoint.js';

const ID = 'someone/colbert-small';
const built = (path: string): string => new URL(`../../../dist/${path}`, import.meta.url).href;
const { loadEncoder } = (await import(built('entry/node-encoder.js'))) as typeof EncoderModule;
const { openModel } = (await import(built('encoder/files/node-model.js'))) as typeof ModelModule;
const { openCheckpoint } = (await import(
  built('encoder/checkpoint/checkpoint.js')
)) as typeof CheckpointModule;
const { needJson, readJson } = (await import(
  built('encoder/files/checkpoint-files.js')
)) as typeof FilesModule;
const root = await mkdtemp(join(tmpdir(), 'lemur-download-'));
const bytes = new Map<string, Buffer>(
  Object.entries(smallColbert()).map(([name, content]) => [
    name,
    Buffer.from(content instanceof Uint8Array ? content : JSON.stringify(content)),
  ]),
);
const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');
const gitSha1 = (content: Uint8Array): string =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');

type Answer = (
  request: IncomingMessage,
  response: ServerResponse,
  content: Buffer | undefined,
) => void;

/** Answers of the hub that are not as they should be, by the file's name. */
let answers: Record<string, Answer> = {};
let asked: string[] = [];
let seen: IncomingMessage[] = [];
let hub: Server;
/** Where the hub keeps large files. */
let storage: Server;
let caches = 0;
const freshCache = (): string => join(root, `cache-${caches++}`);

const plainly: Answer = (_request, response, content) => {
  if (content)
    response
      .writeHead(200, {
        'content-type': 'application/octet-stream',
        'content-length': content.length,
      })
      .end(content);
  else response.writeHead(404, { 'content-type': 'text/plain' }).end('Entry not found');
};
const addressOf = (server: Server): string =>
  `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  hub = createServer((request, response) => {
    const path = (request.url ?? '').replace(/^.*\/resolve\/[^/]*\//, '');
    asked.push(path);
    (answers[path] ?? plainly)(request, response, bytes.get(path));
  });
  storage = createServer((request, response) => {
    seen.push(request);
    plainly(request, response, bytes.get((request.url ?? '/').slice(1)));
  });
  for (const server of [hub, storage])
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  for (const server of [hub, storage]) {
    server.closeAllConnections();
    server.close();
  }
  await rm(root, { recursive: true });
});

type Options = EncoderModule.LoadEncoderOptions;
const placed = (cacheFolder: string, options: Options): Options => ({
  cacheFolder,
  endpoint: addressOf(hub),
  ...options,
});

/** What `loadEncoder` asks for, without the time that a worker takes. */
async function load(cacheFolder: string, options: Options = {}): Promise<void> {
  const files = await openModel(ID, placed(cacheFolder, options));
  const { dim } = await openCheckpoint(files, 'float32');
  await needJson(files, 'tokenizer.json');
  await readJson(files, 'tokenizer_config.json');
  await files.settle?.();
  expect(dim).toBe(6);
}

async function works(cacheFolder: string, options: Options = {}): Promise<void> {
  const encoder = await loadEncoder(
    ID,
    placed(cacheFolder, { threads: 1, runtime: 'node', ...options }),
  );
  expect((await encoder.encodeQuery(['red owls'])).dim).toBe(6);
  await encoder.close();
}

/** Loads with these answers, which must fail, then with right ones. */
async function failsOnce(
  wrong: Record<string, Answer>,
  cacheFolder: string = freshCache(),
): Promise<Error & { code?: string }> {
  answers = wrong;
  const error = await load(cacheFolder).then(
    () => expect.unreachable('expected a rejection'),
    (reason: Error) => reason,
  );
  expect(
    (await readdir(cacheFolder, { recursive: true }).catch(() => [])).filter((name) =>
      /\.(tmp|part)$/.test(name),
    ),
  ).toEqual([]);
  answers = {};
  await load(cacheFolder);
  return error;
}

describe('a page in place of a file', () => {
  test.each(['config.json', 'tokenizer.json', 'model.safetensors'])(
    '%s is refused and not kept, whatever its type is said to be',
    async (name) => {
      for (const type of ['text/html; charset=utf-8', 'application/octet-stream']) {
        const page: Answer = (_request, response) => {
          response
            .writeHead(200, { 'content-type': type })
            .end('\n<!DOCTYPE html><title>Sign in</title>');
        };
        expect(await failsOnce({ [name]: page })).toMatchObject({
          code: 'offline',
          message: expect.stringContaining('a page came in its place'),
        });
      }
    },
  );
});

describe('settings that came without a hash', () => {
  const lie: Answer = (_request, response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end('{"error":"sign in"}');

  test.each([
    [['config.json']],
    [['modules.json']],
    [['tokenizer.json']],
    [[...bytes.keys()].filter((name) => name.endsWith('.json'))],
  ])('are not kept where they say something else and cannot be loaded: %j', async (names) => {
    const cacheFolder = freshCache();
    answers = Object.fromEntries(names.map((name) => [name, lie]));
    await expect(
      loadEncoder(ID, placed(cacheFolder, { threads: 1, runtime: 'node' })),
    ).rejects.toMatchObject({
      code: expect.stringMatching(/^(bad-file|unsupported)$/),
    });
    answers = {};
    await works(cacheFolder);
    asked = [];
    await works(cacheFolder);
    expect(asked).toEqual([]);
  });

  test('are kept when nothing is wrong with them but an option', async () => {
    const cacheFolder = freshCache();
    answers = {};
    const projection = { matrix: new Float32Array(5), dim: 5 };
    await expect(loadEncoder(ID, placed(cacheFolder, { projection }))).rejects.toMatchObject({
      code: 'invalid-argument',
    });
    expect(await readdir(cacheFolder, { recursive: true })).toContain(
      join(ID, 'main', 'config.json'),
    );
  });
});

describe('a file that is not whole', () => {
  test.each(['config.json', 'modules.json', '1_Dense/model.safetensors', 'model.safetensors'])(
    '%s is not kept, though its length was not said',
    async (name) => {
      const cut: Answer = (_request, response, content) => {
        response.writeHead(200, { connection: 'close' });
        response.useChunkedEncodingByDefault = false;
        response.end(content?.subarray(0, content.length - 2));
      };
      expect(await failsOnce({ [name]: cut })).toMatchObject({
        code: 'offline',
        message: expect.stringContaining('what came is not the file'),
      });
    },
  );

  test('is not kept when the connection ends before its length, or in the middle of a chunk', async () => {
    const short: Answer = (_request, response, content) => {
      response.writeHead(200, { 'content-length': (content as Buffer).length });
      response.write(content?.subarray(0, 100), () => response.destroy());
    };
    const broken: Answer = (_request, response, content) => {
      response.write(content?.subarray(0, 100), () => response.destroy());
    };
    for (const answer of [short, broken])
      expect(await failsOnce({ 'model.safetensors': answer })).toMatchObject({ code: 'offline' });
  });

  test('is not kept when its hash is not the one that the hub has of it, by SHA-256 or as git hashes', async () => {
    const changed = (content: Buffer): Buffer => {
      const other = Buffer.from(content);
      other[other.length - 2] ^= 1;
      return other;
    };
    for (const digits of [sha256, gitSha1]) {
      const wrong: Answer = (_request, response, content = Buffer.of()) => {
        response
          .writeHead(200, { 'x-repo-commit': 'c0ffee', etag: `"${digits(content)}"` })
          .end(changed(content));
      };
      expect(await failsOnce({ 'model.safetensors': wrong })).toMatchObject({
        code: 'offline',
        message: expect.stringContaining('has the hash'),
      });
    }
    const right: Answer = (_request, response, content = Buffer.of()) => {
      response
        .writeHead(200, { 'x-repo-commit': 'c0ffee', etag: `W/"${gitSha1(content)}"` })
        .end(content);
    };
    // an ETag of another server may be anything
    const other: Answer = (_request, response, content = Buffer.of()) =>
      void response.writeHead(200, { etag: `"${'a'.repeat(40)}"` }).end(content);
    answers = { 'config.json': right, 'model.safetensors': other };
    await load(freshCache());
  });
});

describe('a large file that lies elsewhere', () => {
  const elsewhere =
    (hash: (content: Uint8Array) => string): Answer =>
    (_request, response, content = Buffer.of()) => {
      const location = `${addressOf(storage)}/model.safetensors`;
      response
        .writeHead(302, {
          location,
          'x-linked-etag': `"${hash(content)}"`,
          'x-linked-size': content.length,
        })
        .end();
    };

  test('is held to the hash that the hub has of it, and its storage never sees the token', async () => {
    answers = { 'model.safetensors': elsewhere(sha256) };
    seen = [];
    await load(freshCache(), { token: 'secret' });
    expect(seen).toHaveLength(1);
    expect(seen[0].headers.authorization).toBeUndefined();
    expect(
      (await failsOnce({ 'model.safetensors': elsewhere(() => sha256(Buffer.of(1))) })).message,
    ).toMatch(/has the hash [0-9a-f]{64}, expected/);
  });

  test('is not looked for in a circle', async () => {
    const circle: Answer = ({ url }, response) =>
      void response.writeHead(302, { location: url }).end();
    expect(await failsOnce({ 'model.safetensors': circle })).toMatchObject({
      message: expect.stringContaining('sent on more than 10 times'),
    });
  });
});

describe('a file that the hub says it does not have', () => {
  const missing: Answer = (_request, response) => void response.writeHead(404).end();

  test.each(['tokenizer.json', 'model.safetensors', '1_Dense/config.json'])(
    '%s, by mistake, is asked for again',
    async (name) => {
      expect(await failsOnce({ [name]: missing })).toMatchObject({ code: 'not-found' });
    },
  );

  test('is not asked for again within the hour, then it is, and without a network what was known is believed', async () => {
    const cacheFolder = freshCache();
    answers = {};
    asked = [];
    await load(cacheFolder);
    const optional = asked.filter((name) => !bytes.has(name));
    expect(optional).toContain('tokenizer_config.json');
    asked = [];
    await load(cacheFolder);
    expect(asked).toEqual([]);
    const markers = (await readdir(cacheFolder, { recursive: true })).filter((name) =>
      name.endsWith('.absent'),
    );
    expect(markers).toHaveLength(optional.length);
    const before = new Date(Date.now() - 2 * 3_600_000);
    for (const name of markers) await utimes(join(cacheFolder, name), before, before);
    let tries = 0;
    const offline: typeof fetch = async () => {
      tries++;
      throw new TypeError('fetch failed');
    };
    await works(cacheFolder, { fetch: offline });
    expect(tries).toBe(1);
    await load(cacheFolder);
    expect(asked.sort()).toEqual(optional.sort());
  });
});

test('two loads at once in one process, and one in another, each get a whole model', async () => {
  const cacheFolder = freshCache();
  const slowly: Answer = (_request, response, content = Buffer.of()) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, content.length >> 1), () =>
      setTimeout(() => response.end(content.subarray(content.length >> 1)), 100),
    );
  };
  answers = { 'config.json': slowly, 'model.safetensors': slowly };
  const script = `const { loadEncoder } = await import(${JSON.stringify(built('entry/node-encoder.js'))});
    const encoder = await loadEncoder(${JSON.stringify(ID)}, ${JSON.stringify({ cacheFolder, endpoint: addressOf(hub), threads: 1 })});
    await encoder.close();`;
  const other = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const exited = new Promise((resolve) => other.on('exit', resolve));
  await Promise.all([works(cacheFolder), works(cacheFolder)]);
  expect(await exited).toBe(0);
  const folder = join(cacheFolder, ID, 'main');
  const kept = (await readdir(folder))
    .filter((name) => !name.endsWith('.absent') && name !== '1_Dense')
    .sort();
  expect(kept).toEqual([...bytes.keys()].filter((name) => !name.includes('/')).sort());
  for (const name of kept) expect(await readFile(join(folder, name))).toEqual(bytes.get(name));
});

test('what a download left that was killed is removed a day later', async () => {
  const cacheFolder = freshCache();
  const folder = join(cacheFolder, ID, 'main');
  await mkdir(folder, { recursive: true });
  const yesterday = new Date(Date.now() - 2 * 86_400_000);
  for (const name of [
    'model.safetensors.0123456789abcdef.tmp',
    'model.safetensors.77.part',
    'config.json.fedcba9876543210.tmp',
  ]) {
    await writeFile(join(folder, name), 'x');
    if (name.startsWith('model')) await utimes(join(folder, name), yesterday, yesterday);
  }
  answers = {};
  await load(cacheFolder);
  expect((await readdir(folder)).filter((name) => /tmp|part/.test(name))).toEqual([
    'config.json.fedcba9876543210.tmp',
  ]);
});

test('a call that is cancelled ends at once, whether the hub goes on answering or never does', {
  timeout: 20_000,
}, async () => {
  const endless: Answer = (_request, response, content = Buffer.of()) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 100));
  };
  const never: typeof fetch = () => new Promise(() => {});
  const stuck: typeof fetch = async () =>
    new Response(
      new ReadableStream({
        pull: () => new Promise(() => {}),
        cancel: () => new Promise(() => {}),
      }),
    );
  answers = { 'model.safetensors': endless };
  for (const options of [{}, { fetch: never }, { fetch: stuck }]) {
    const stop = new AbortController();
    const reason = new Error('enough');
    const cacheFolder = freshCache();
    const loading = load(cacheFolder, { signal: stop.signal, ...options });
    setTimeout(() => stop.abort(reason), 200);
    await expect(loading).rejects.toBe(reason);
    const left = await readdir(cacheFolder, { recursive: true }).catch(() => []);
    expect(left.filter((name) => name.includes('model.safetensors'))).toEqual([]);
  }
});

test.each([
  '..',
  '.',
  '',
  '../main',
  'a/../b',
  'a//b',
  '/main',
  'a\\b',
  'a\0b',
  'a b',
  '.hidden',
  'x'.repeat(300),
])('the revision %j is refused before anything is asked or written', async (revision) => {
  const cacheFolder = freshCache();
  asked = [];
  await expect(load(cacheFolder, { revision })).rejects.toMatchObject({
    code: 'invalid-argument',
    message: expect.stringContaining('revision'),
  });
  expect(asked).toEqual([]);
  await expect(readdir(cacheFolder)).rejects.toThrow();
});

test('a revision may be a branch, a tag, a commit or a pull request', async () => {
  answers = {};
  for (const revision of ['v1.0', 'refs/pr/1', 'c0ffee'.padEnd(40, '0')])
    await load(freshCache(), { revision });
});

test('a list of weights that leads out of the checkpoint is refused', async () => {
  const index: Answer = (_request, response) => {
    response.end(
      JSON.stringify({
        weight_map: { 'embeddings.word_embeddings.weight': '../../other.safetensors' },
      }),
    );
  };
  const missing: Answer = (_request, response) => void response.writeHead(404).end();
  expect(
    await failsOnce({ 'model.safetensors': missing, 'model.safetensors.index.json': index }),
  ).toMatchObject({ code: 'bad-file' });
});

describe('a cache that cannot be written', () => {
  test('because a file is in its way is a failure of the storage, and says which option names another folder', async () => {
    answers = {};
    const cacheFolder = freshCache();
    await writeFile(cacheFolder, '');
    await expect(load(cacheFolder)).rejects.toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining('cacheFolder'),
    });
  });

  const full = join(root, 'full');
  mkdirSync(full);
  const mounted = mountSmallDisk(full, '64k');

  test.skipIf(!mounted)(
    'because the disk is full leaves no part of a file, and the next call goes on',
    async () => {
      answers = {};
      await expect(load(full)).rejects.toMatchObject({
        code: 'storage-failed',
        cause: { code: 'ENOSPC' },
      });
      const left = (await readdir(full, { recursive: true })).filter((name) =>
        name.includes('model.safetensors'),
      );
      expect(left).toEqual([]);
      execFileSync('mount', ['-o', 'remount,size=8m', full]);
      await load(full);
    },
  );
});
