import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadEncoder } from '../../../dist/entry/node-encoder.js';
import { type Answer, bytes, gitSha1, ID, LocalHub, sha256 } from './local-hub.js';

const hub = await LocalHub.start();

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
        expect(await hub.failsOnce({ [name]: page })).toMatchObject({
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
    const cacheFolder = hub.freshCache();
    hub.answers = Object.fromEntries(names.map((name) => [name, lie]));
    await expect(
      loadEncoder(ID, hub.placed(cacheFolder, { threads: 1, runtime: 'node' })),
    ).rejects.toMatchObject({
      code: expect.stringMatching(/^(bad-file|unsupported)$/),
    });
    hub.answers = {};
    await hub.works(cacheFolder);
    hub.asked = [];
    await hub.works(cacheFolder);
    expect(hub.asked).toEqual([]);
  });

  test('are kept when nothing is wrong with them but an option', async () => {
    const cacheFolder = hub.freshCache();
    hub.answers = {};
    const projection = { matrix: new Float32Array(5), dim: 5 };
    await expect(loadEncoder(ID, hub.placed(cacheFolder, { projection }))).rejects.toMatchObject({
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
      expect(await hub.failsOnce({ [name]: cut })).toMatchObject({
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
      expect(await hub.failsOnce({ 'model.safetensors': answer })).toMatchObject({
        code: 'offline',
      });
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
      expect(await hub.failsOnce({ 'model.safetensors': wrong })).toMatchObject({
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
    hub.answers = { 'config.json': right, 'model.safetensors': other };
    await hub.load(hub.freshCache());
  });
});

describe('a large file that lies elsewhere', () => {
  const elsewhere =
    (hash: (content: Uint8Array) => string): Answer =>
    (_request, response, content = Buffer.of()) => {
      const location = `${hub.storageAddress}/model.safetensors`;
      response
        .writeHead(302, {
          location,
          'x-linked-etag': `"${hash(content)}"`,
          'x-linked-size': content.length,
        })
        .end();
    };

  test('is held to the hash that the hub has of it, and its storage never sees the token', async () => {
    hub.answers = { 'model.safetensors': elsewhere(sha256) };
    hub.seen = [];
    await hub.load(hub.freshCache(), { token: 'secret' });
    expect(hub.seen).toHaveLength(1);
    expect(hub.seen[0].headers.authorization).toBeUndefined();
    expect(
      (await hub.failsOnce({ 'model.safetensors': elsewhere(() => sha256(Buffer.of(1))) })).message,
    ).toMatch(/has the hash [0-9a-f]{64}, expected/);
  });

  test('is not looked for in a circle', async () => {
    const circle: Answer = ({ url }, response) =>
      void response.writeHead(302, { location: url }).end();
    expect(await hub.failsOnce({ 'model.safetensors': circle })).toMatchObject({
      message: expect.stringContaining('sent on more than 10 times'),
    });
  });
});

describe('a file that the hub says it does not have', () => {
  const missing: Answer = (_request, response) => void response.writeHead(404).end();

  test.each(['tokenizer.json', 'model.safetensors', '1_Dense/config.json'])(
    '%s, by mistake, is hub.asked for again',
    async (name) => {
      expect(await hub.failsOnce({ [name]: missing })).toMatchObject({ code: 'not-found' });
    },
  );

  test('is not hub.asked for again within the hour, then it is, and without a network what was known is believed', async () => {
    const cacheFolder = hub.freshCache();
    hub.answers = {};
    hub.asked = [];
    await hub.load(cacheFolder);
    const optional = hub.asked.filter((name) => !bytes.has(name));
    expect(optional).toContain('tokenizer_config.json');
    hub.asked = [];
    await hub.load(cacheFolder);
    expect(hub.asked).toEqual([]);
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
    await hub.works(cacheFolder, { fetch: offline });
    expect(tries).toBe(1);
    await hub.load(cacheFolder);
    expect(hub.asked.sort()).toEqual(optional.sort());
  });
});
