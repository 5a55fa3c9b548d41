import { inspect } from 'node:util';
import { beforeEach, describe, expect, test } from 'vitest';
import { retryAfter } from '../../../src/encoder/remote/remote-call.js';
import { remoteEncoder } from '../../../src/encoder/remote/remote-encoder.js';
import type {
  RemoteEncoderOptions,
  RemoteStyle,
} from '../../../src/encoder/remote/remote-options.js';
import { DIM, status, tokenService, vectorsOf } from './token-service.js';

const service = await tokenService();
beforeEach(() => {
  service.asked.length = 0;
  service.next.length = 0;
});

type Options = Partial<RemoteEncoderOptions>;
const encoderOf = (style: RemoteStyle, options: Options = {}) =>
  remoteEncoder({ url: service.url, style, model: 'm', dim: DIM, ...options });
const rejection = (work: Promise<unknown>): Promise<{ code?: string; message: string }> =>
  work.then(
    () => new Error('it resolved'),
    (error) => error,
  );
const NOW = { 'retry-after': '0' };

describe.each<[RemoteStyle, string, string, object, object]>([
  [
    'jina',
    '/v1/multi-vector',
    '',
    { model: 'm', input_type: 'query', embedding_type: 'float', dimensions: DIM },
    { input_type: 'document' },
  ],
  ['vllm', '/pooling', '[Q] ', { model: 'm', encoding_format: 'float' }, {}],
  ['pylate', '/v1/embeddings', '', { model: 'm', is_query: true }, { is_query: false }],
  ['next-plaid', '/encode', '', { input_type: 'query' }, { input_type: 'document' }],
])('a service of the style %s', (style, path, queryPrefix, asQuery, asDocument) => {
  const texts = ['one', 'two words', 'and three words'];
  const options = { queryPrefix, apiKey: 'secret' };

  test('is asked in its form, with the key, and its vectors are those of the texts', async () => {
    const encoder = await encoderOf(style, options);
    const sets = await encoder.encodeQuery(texts);
    const rows = texts.flatMap((text) => vectorsOf(queryPrefix + text, true));
    expect(Array.from(sets.vectors)).toEqual(rows.flat());
    expect(Array.from(sets.counts)).toEqual(queryPrefix ? [2, 3, 4] : [1, 2, 3]);
    expect(sets.dim).toBe(DIM);
    const [{ body, ...asked }] = service.asked;
    expect(asked.path).toBe(path);
    expect(asked.headers.authorization).toBe('Bearer secret');
    const named = texts.map((text) => queryPrefix + text);
    const key = style === 'next-plaid' ? 'texts' : 'input';
    expect(body).toEqual({ [key]: named, ...asQuery });
  });

  test('is told which texts are documents, where it asks', async () => {
    const encoder = await encoderOf(style, options);
    await encoder.encodeDocument(texts);
    expect(service.asked[0].body).toMatchObject(asDocument);
  });
});

describe('a remote encoder', () => {
  test('finds out the dimension where none is said', async () => {
    const encoder = await encoderOf('jina', { dim: undefined });
    expect(encoder.dim).toBe(DIM);
    expect(service.asked[0].body).not.toHaveProperty('dimensions');
  });

  test('has the model, the style, the dimension and the prefixes in its id', async () => {
    const ids = await Promise.all(
      [{}, { model: 'other' }, { queryPrefix: 'q' }, { documentPrefix: 'q' }].map(
        async (options) => (await encoderOf('vllm', options)).id,
      ),
    );
    expect(ids[0]).toBe('remote vllm m 4');
    expect(new Set(ids).size).toBe(4);
    expect((await encoderOf('vllm', { apiKey: 'k', batchSize: 2 })).id).toBe(ids[0]);
  });

  test('sends batches, in the order of the texts whatever is answered first', async () => {
    const encoder = await encoderOf('pylate', { batchSize: 3, concurrency: 2 });
    const texts = Array.from({ length: 10 }, (_, i) => 'x'.repeat(i + 1));
    service.next.push((response) =>
      setTimeout(() => {
        const embedding = (text: string) => ({ embedding: vectorsOf(text, false) });
        response.end(JSON.stringify({ data: texts.slice(0, 3).map(embedding) }));
      }, 30),
    );
    const done: number[] = [];
    const onProgress = (progress: { done: number }): void => void done.push(progress.done);
    const { vectors } = await encoder.encodeDocument(texts, { onProgress });
    expect(Array.from(vectors)).toEqual(texts.flatMap((text) => vectorsOf(text, false)).flat());
    expect(service.asked.map(({ body }) => (body.input as string[]).length)).toEqual([3, 3, 3, 1]);
    expect([done[0], done.at(-1)]).toEqual([0, 10]);
  });

  test('of no texts gives none and asks nothing', async () => {
    const { counts } = await (await encoderOf('jina')).encodeQuery([]);
    expect([counts.length, service.asked.length]).toEqual([0, 0]);
  });

  test.each([408, 429, 500, 502, 503, 504])('tries again after status %i', async (code) => {
    service.next.push(status(code, NOW), status(code, NOW));
    const { counts } = await (await encoderOf('jina')).encodeQuery(['a b']);
    expect([counts[0], service.asked.length]).toEqual([2, 3]);
  });

  test('gives up where that does not help, and says how often it tried', async () => {
    for (let i = 0; i < 3; i++) service.next.push(status(503, NOW, 'overloaded'));
    const encoder = await encoderOf('jina', { maxRetries: 2 });
    const { code, message } = await rejection(encoder.encodeQuery(['a']));
    expect(code).toBe('offline');
    expect(message).toMatch(/status 503: overloaded, tried 3 times$/);
  });

  test('does not wait for a service that asks for an hour', async () => {
    service.next.push(status(429, { 'retry-after': '3600' }));
    const { code, message } = await rejection((await encoderOf('jina')).encodeQuery(['a']));
    expect([code, message.includes('it asks for 3600 s')]).toEqual(['offline', true]);
  });

  test('waits as long as it is told to, and begins nothing else meanwhile', async () => {
    const events: string[] = [];
    service.next.push((response) => {
      status(429, { 'retry-after': '0.3' })(response);
      setTimeout(() => events.push('time'), 150);
    });
    for (const name of ['first', 'second'])
      service.next.push((response) => {
        events.push(name);
        response.end('{"data":[{"embeddings":[[1,2,3,4]]}]}');
      });
    const encoder = await encoderOf('jina', { batchSize: 1, concurrency: 1 });
    await encoder.encodeQuery(['a', 'b']);
    expect(events).toEqual(['time', 'first', 'second']);
  });

  test('begins no more requests a minute than it may', async () => {
    const events: string[] = [];
    const answer = '{"data":[{"embeddings":[[1,2,3,4]]}]}';
    service.next.push((response) => {
      response.end(answer);
      setTimeout(() => events.push('time'), 100);
    });
    service.next.push((response) => {
      events.push('second');
      response.end(answer);
    });
    const encoder = await encoderOf('jina', { batchSize: 1, requestsPerMinute: 200 });
    await encoder.encodeQuery(['a', 'b']);
    expect(events).toEqual(['time', 'second']);
  });

  test.each([400, 401, 403, 404, 422])('is refused by status %i at once', async (code) => {
    service.next.push(status(code, {}, 'no, not with secret'));
    const encoder = await encoderOf('jina', { apiKey: 'secret' });
    const error = await rejection(encoder.encodeQuery(['a']));
    expect(error.code).toBe('invalid-argument');
    expect(error.message).toContain(`status ${code}`);
    expect(error.message).not.toContain('secret');
    expect(service.asked.length).toBe(1);
  });

  test('quotes nothing of an answer that may be the key', async () => {
    service.next.push((response) => response.end('secret'));
    const encoder = await encoderOf('jina', { apiKey: 'secret' });
    const error = await rejection(encoder.encodeQuery(['x']));
    expect(error.code).toBe('unsupported');
    expect(inspect(error, { depth: 5 })).not.toContain('secret');
  });

  test.each<[Options, string]>([
    [{ apiKey: 'two\nlines of a secret' }, 'apiKey'],
    [{ apiKey: 'a secret of 10 €' }, 'apiKey'],
    [{ headers: { 'x-key': 'two\r\nlines of a secret' } }, 'headers.x-key'],
    [{ headers: { 'x key': 'secret' } }, 'headers.x key'],
  ])(
    'refuses a key or a header that cannot be sent, and asks nobody: %j',
    async (options, where) => {
      const error = await rejection(encoderOf('jina', options));
      expect([error.code, error.message.slice(0, where.length)]).toEqual([
        'invalid-argument',
        where,
      ]);
      expect(inspect(error, { depth: 5 })).not.toContain('secret');
      expect(service.asked).toHaveLength(0);
    },
  );

  test.each(['1e999', '-1e300'])('refuses %s, which is no number of its vectors', async (value) => {
    const item = `{"index":0,"embeddings":[[0,0,0,${value}]]}`;
    service.next.push((response) => response.end(`{"data":[${item}]}`));
    const encoder = await encoderOf('jina');
    expect((await rejection(encoder.encodeQuery(['x']))).code).toBe('unsupported');
  });

  test('gives its key to nobody that it is sent on to', async () => {
    service.next.push(status(302, { location: 'http://127.0.0.1:1/' }));
    const encoder = await encoderOf('jina', { apiKey: 'secret', maxRetries: 0 });
    expect((await rejection(encoder.encodeQuery(['a']))).code).toBe('offline');
    expect(service.asked.length).toBe(1);
  });

  test.each([
    ['no JSON', 'hello', 'unsupported'],
    ['another form', '{"results":[]}', 'unsupported'],
    ['too few texts', '{"data":[]}', 'unsupported'],
    ['a text without vectors', '{"data":[{"embeddings":[]}]}', 'unsupported'],
    ['a single vector', '{"data":[{"embeddings":[1,2,3,4]}]}', 'unsupported'],
    ['texts', '{"data":[{"embeddings":[["a","b","c","d"]]}]}', 'unsupported'],
    ['another dimension', '{"data":[{"embeddings":[[1,2]]}]}', 'dimension-mismatch'],
    ['a wild index', '{"data":[{"index":-1,"embeddings":[[1,2,3,4]]}]}', 'unsupported'],
  ])('refuses an answer that has %s', async (_, answer, code) => {
    service.next.push(status(200, {}, answer));
    expect((await rejection((await encoderOf('jina')).encodeQuery(['a']))).code).toBe(code);
  });

  test('stops with its signal, while it waits and while it asks', async () => {
    const waiting = new AbortController();
    const tired = new Error('tired');
    service.next.push((response) => {
      status(503, { 'retry-after': '60' })(response);
      setTimeout(() => waiting.abort(tired), 20);
    });
    const encoder = await encoderOf('jina');
    const waited = rejection(encoder.encodeQuery(['a'], { signal: waiting.signal }));
    expect(await waited).toBe(tired);
    const other = await encoderOf('jina');
    const asking = new AbortController();
    service.next.push(() => asking.abort(tired));
    expect(await rejection(other.encodeQuery(['a'], { signal: asking.signal }))).toBe(tired);
  });

  test('gives up a request that nobody answers in time', async () => {
    service.next.push(() => {});
    const encoder = await encoderOf('jina', { timeoutMs: 50, maxRetries: 0 });
    const { code, message } = await rejection(encoder.encodeQuery(['a']));
    expect([code, message.includes('no answer within 50 ms')]).toEqual(['offline', true]);
  });

  test('is closed: calls under way and later ones reject', async () => {
    const encoder = await encoderOf('jina');
    service.next.push(() => void encoder.close());
    expect((await rejection(encoder.encodeQuery(['a']))).code).toBe('closed');
    expect((await rejection(encoder.encodeQuery(['a']))).code).toBe('closed');
  });

  test.each<[string, Options]>([
    ['url', { url: 'ftp://x' }],
    ['url', { url: 'http://user:pw@x' }],
    ['style', { style: 'cohere' as RemoteStyle }],
    ['model', { model: '' }],
    ['batchSize', { batchSize: 0 }],
    ['requestsPerMinute', { requestsPerMinute: 0 }],
    ['dim', { dim: 1.5 }],
  ])('refuses a wrong %s', async (name, options) => {
    const { code, message } = await rejection(encoderOf('jina', options));
    expect([code, message.startsWith(`${name}:`)]).toEqual(['invalid-argument', true]);
  });

  test('refuses lengths that services do not take', async () => {
    const { code } = await rejection(
      (await encoderOf('jina')).encodeQuery(['a'], { maxTokens: 3 }),
    );
    expect(code).toBe('unsupported');
  });
});

test('retry-after is seconds or a date', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  expect(retryAfter('2', now)).toBe(2000);
  expect(retryAfter('Thu, 01 Jan 2026 00:00:10 GMT', now)).toBe(10_000);
  expect(retryAfter('Thu, 01 Jan 2020 00:00:10 GMT', now)).toBe(0);
  expect(retryAfter('soon', now)).toBeUndefined();
  expect(retryAfter(null, now)).toBeUndefined();
});
