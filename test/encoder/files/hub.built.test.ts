import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type * as HubModule from '../../../dist/encoder/files/hub-options.js';
import type * as EncoderModule from '../../../dist/entry/node-encoder.js';
import { isLemurError } from '../../../dist/errors.js';
import { smallColbert } from '../small-checkpoint.js';

const built = (path: string): string => new URL(`../../../dist/${path}`, import.meta.url).href;
const { loadEncoder } = (await import(built('entry/node-encoder.js'))) as typeof EncoderModule;
const { isHubId } = (await import(built('encoder/files/hub-options.js'))) as typeof HubModule;
const root = await mkdtemp(join(tmpdir(), 'lemur-hub-'));
afterAll(() => rm(root, { recursive: true }));

const checkpoint = smallColbert();

/** A hub that has one model, and a list of what it was asked for. */
function hub(files: Record<string, unknown> = checkpoint): {
  asked: string[];
  fetch: typeof fetch;
} {
  const asked: string[] = [];
  return {
    asked,
    fetch: async (input) => {
      const path = new URL(String(input)).pathname;
      asked.push(path);
      const [, owner, name, , , ...rest] = path.split('/');
      if (`${owner}/${name}` !== 'someone/colbert-small') return new Response('', { status: 401 });
      const content = files[rest.join('/')];
      if (content === undefined) return new Response('', { status: 404 });
      const bytes =
        content instanceof Uint8Array ? content : new TextEncoder().encode(JSON.stringify(content));
      return new Response(bytes as BodyInit, {
        headers: { 'content-length': String(bytes.length) },
      });
    },
  };
}

const offline: typeof fetch = async () => {
  throw new TypeError('fetch failed');
};

async function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.unreachable('expected a rejection'),
    (error: Error) => error,
  );
}

describe('an id of the hub', () => {
  test('is told from a path', () => {
    for (const id of ['lightonai/GTE-ModernColBERT-v1', 'a/b.c-d_e'])
      expect(isHubId(id)).toBe(true);
    for (const path of ['model', './a/b', '../b', 'a/b/c', '/a/b', 'a\\b', 'a/', '/b', 'a/..'])
      expect(isHubId(path)).toBe(false);
  });

  test('is downloaded once, and then works without a network', async () => {
    const cacheFolder = join(root, 'cache');
    const { asked, fetch } = hub();
    const stages = new Set<string>();
    const first = await loadEncoder('someone/colbert-small', {
      cacheFolder,
      fetch,
      threads: 1,
      onProgress: ({ stage, done, total }) => {
        if (done === total) stages.add(stage);
      },
    });
    expect(first.dim).toBe(6);
    const { vectors } = await first.encodeQuery(['red owls']);
    await first.close();
    expect(asked).toContain('/someone/colbert-small/resolve/main/1_Dense/model.safetensors');
    expect(new Set(asked).size).toBe(asked.length);
    // they may be larger than the weights
    expect(asked.filter((path) => path.endsWith('.onnx'))).toEqual([]);
    expect(stages).toContain('download model.safetensors');
    const again = await loadEncoder('someone/colbert-small', {
      cacheFolder,
      fetch: offline,
      threads: 1,
    });
    expect(again.id).toBe(first.id);
    expect((await again.encodeQuery(['red owls'])).vectors).toEqual(vectors);
    await again.close();
  });

  test('that the hub does not have, or cannot be asked for, says so', async () => {
    const nobody = await failure(
      loadEncoder('nobody/nothing', { cacheFolder: join(root, 'none'), fetch: hub().fetch }),
    );
    expect(isLemurError(nobody, 'not-found')).toBe(true);
    expect(nobody.message).toMatch(
      /nobody\/nothing: the hub has no such model, or not for everybody \(401 for config\.json/,
    );
    const alone = await failure(
      loadEncoder('someone/colbert-small', { cacheFolder: join(root, 'offline'), fetch: offline }),
    );
    expect(isLemurError(alone, 'offline')).toBe(true);
    expect(alone.message).toMatch(
      /config\.json is not in .*and could not be downloaded: fetch failed; without a network, copy/,
    );
  });

  test('whose download is cut off or cancelled leaves nothing behind, and goes on the next time', async () => {
    const cacheFolder = join(root, 'cut');
    const { fetch } = hub();
    const cut: typeof globalThis.fetch = async (input) => {
      const response = await fetch(input);
      if (!String(input).endsWith('main/model.safetensors')) return response;
      const bytes = new Uint8Array(await response.arrayBuffer());
      return new Response(bytes.subarray(0, 1000), {
        headers: { 'content-length': String(bytes.length) },
      });
    };
    const error = await failure(loadEncoder('someone/colbert-small', { cacheFolder, fetch: cut }));
    expect(isLemurError(error, 'offline')).toBe(true);
    expect(error.message).toMatch(/it ended after 1000 of \d+ bytes/);
    const reason = new Error('enough');
    const stop = new AbortController();
    const stopping = loadEncoder('someone/colbert-small', {
      cacheFolder,
      fetch,
      signal: stop.signal,
      onProgress: ({ stage }) => {
        if (stage === 'download model.safetensors') stop.abort(reason);
      },
    });
    expect(await failure(stopping)).toBe(reason);
    const folder = join(cacheFolder, 'someone', 'colbert-small', 'main');
    expect((await readdir(folder)).filter((name) => /safetensors|part/.test(name))).toEqual([]);
    const encoder = await loadEncoder('someone/colbert-small', { cacheFolder, fetch, threads: 1 });
    await encoder.close();
  });
});
