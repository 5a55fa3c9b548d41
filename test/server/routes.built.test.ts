import { describe, expect, test } from 'vitest';
import { smallServer } from './small-server.js';

const { ask, index } = await smallServer();

const get = async (path: string): Promise<unknown> => (await ask(path)).json();
const post = async (path: string, json: unknown): Promise<unknown> =>
  (await ask(path, { json })).json();

describe('a server', () => {
  test('says that it is there, and what it has', async () => {
    expect(await get('/health')).toEqual({ status: 'ok' });
    expect(await get('/ready')).toEqual({ status: 'ready', collections: 1 });
    expect(await get('/collections')).toEqual({
      collections: [
        { name: 'papers', documents: index.size, dim: 16, encoder: 'words', features: 'exact' },
      ],
    });
  });

  test('describes a collection, without the folders that it mirrors', async () => {
    const described = (await get('/collections/papers')) as object;
    const { roots: _, ...stats } = index.stats();
    expect(described).toEqual({ name: 'papers', ...stats });
  });

  test('answers HEAD as GET, without a body', async () => {
    const response = await ask('/collections', { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  test('gives each answer an id, or the one that the request has', async () => {
    const made = (await ask('/health')).headers.get('x-request-id');
    expect(made).toMatch(/^[0-9a-f-]{36}$/);
    const given = await ask('/health', { headers: { 'x-request-id': 'from-a-proxy.1' } });
    expect(given.headers.get('x-request-id')).toBe('from-a-proxy.1');
    const refused = await ask('/health', { headers: { 'x-request-id': '<script>' } });
    expect(refused.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('searches', () => {
  const query = 'what do statins lower?';

  test('a query finds what the index finds', async () => {
    const found = await post('/collections/papers/search', { query, k: 2 });
    expect(found).toEqual(JSON.parse(JSON.stringify(await index.search(query, { k: 2 }))));
  });

  test('several queries have an answer each', async () => {
    const queries = [query, 'where do bees dance?'];
    const found = await post('/collections/papers/search', { queries, k: 1, include: [] });
    const { results } = found as { results: { hits: { id: string }[] }[] };
    expect(results.map(({ hits }) => hits.map(({ id }) => id))).toEqual([['statins'], ['bees']]);
  });

  test('token vectors, filters and keywords go through', async () => {
    const tokens = Array.from({ length: 2 }, (_, i) =>
      Array.from({ length: 16 }, (_, j) => Number(i === j)),
    );
    const filter = { year: { $gte: 2000 } };
    const byVectors = await post('/collections/papers/search', { query: tokens, filter });
    expect((byVectors as { hits: { id: string }[] }).hits.map(({ id }) => id)).toEqual(['statins']);
    const byWords = await post('/collections/papers/search', { query: 'snow', mode: 'keywords' });
    expect((byWords as { hits: { id: string }[] }).hits.map(({ id }) => id)).toEqual(['a/b c']);
  });

  test('the part that matched is shown where it is asked for', async () => {
    const highlight = { open: '<', close: '>' };
    const found = await post('/collections/papers/search', { query, k: 1, include: [], highlight });
    const [hit] = (found as { hits: Record<string, { text: string }>[] }).hits;
    expect(hit.highlight.text).toContain('<statins>');
    expect(Object.keys(hit)).not.toContain('text');
    expect(Object.keys(hit)).not.toContain('evidence');
  });

  test('ids that were found elsewhere are scored', async () => {
    const ids = ['bees', 'statins', 'not there'];
    const found = await post('/collections/papers/rerank', { query, ids, k: 1 });
    expect(found).toEqual(JSON.parse(JSON.stringify(await index.rerank(query, ids, { k: 1 }))));
  });
});

describe('documents', () => {
  test('one is read and deleted by its id, whatever is in it', async () => {
    const path = `/collections/papers/documents/${encodeURIComponent('a/b c')}`;
    expect(await get(path)).toEqual({ id: 'a/b c', text: 'Snow is white.' });
    expect(await (await ask(path, { method: 'DELETE' })).json()).toEqual({ deleted: 1 });
    expect((await ask(path, { method: 'DELETE' })).status).toBe(404);
    await index.add({ id: 'a/b c', text: 'Snow is white.' });
  });

  test('many are read, null for those that are not there', async () => {
    const { documents } = (await post('/collections/papers/documents/get', {
      ids: ['bees', 'nobody'],
    })) as { documents: ({ id: string } | null)[] };
    expect(documents.map((document) => document?.id)).toEqual(['bees', undefined]);
    expect(documents[1]).toBeNull();
  });

  test('an array goes in, and again only where it may replace', async () => {
    const documents = [{ id: 'new', text: 'Rain is wet.' }];
    const path = '/collections/papers/documents';
    expect(await post(path, documents)).toEqual({ added: 1, replaced: 0, skipped: 0 });
    const again = await ask(path, { json: documents });
    expect([again.status, (await again.json()).code]).toEqual([409, 'duplicate-id']);
    const replaced = { added: 0, replaced: 1, skipped: 0 };
    expect(await post(path, { documents, onExisting: 'replace' })).toEqual(replaced);
    expect(await post(`${path}?onExisting=replace`, documents)).toEqual(replaced);
  });

  test('those that pass a filter are deleted', async () => {
    const documents = ['x', 'y'].map((id) => ({ id, text: id, metadata: { old: true } }));
    await post('/collections/papers/documents', documents);
    const filter = { old: true };
    const path = '/collections/papers/documents/delete';
    expect(await post(path, { filter })).toEqual({ deleted: 2 });
    expect(await post(path, { ids: ['x', 'y'] })).toEqual({ deleted: 0 });
  });
});

describe('lines of JSON', () => {
  const add = (body: BodyInit, init: object = {}): Promise<Response> =>
    ask('/collections/papers/documents?onExisting=replace', {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body,
      ...init,
    });
  const linesOf = async (response: Response): Promise<Record<string, unknown>[]> =>
    (await response.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));

  test('go in, and each commit is a line back', async () => {
    const documents = Array.from({ length: 1500 }, (_, i) => ({
      id: `line ${i}`,
      text: `No ${i}`,
    }));
    const response = await add(documents.map((one) => JSON.stringify(one)).join('\n'));
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    expect(await linesOf(response)).toEqual([
      { committed: 1000 },
      { committed: 1500 },
      { done: true, added: 1500, replaced: 0, skipped: 0 },
    ]);
    const deleted = await index.delete(documents.map(({ id }) => id));
    expect(deleted).toBe(1500);
  });

  test('that are wrong at once are refused, and later say what is safe', async () => {
    const wrong = await add('{"id":"one","text":"One."}\nnot JSON\n');
    expect([wrong.status, (await wrong.json()).detail]).toEqual([
      400,
      'body: line 2: not JSON: not JSON',
    ]);
    expect(await index.get('one')).toBeUndefined();
    const many = Array.from({ length: 1000 }, (_, i) => `{"id":"many ${i}","text":"Many."}\n`);
    const late = await add(`${many.join('')}{"id":"bad"}\n`);
    const lines = await linesOf(late);
    expect(lines[0]).toEqual({ committed: 1000 });
    expect(lines[1]).toMatchObject({
      error: { status: 400, code: 'invalid-argument' },
      added: 1000,
    });
    await index.delete(many.map((_, i) => `many ${i}`));
  });

  test('of none are none', async () => {
    const done = { done: true, added: 0, replaced: 0, skipped: 0 };
    expect(await linesOf(await add('\n'))).toEqual([done]);
  });
});

describe('reranking and encoding in the forms of others', () => {
  const documents = ['Bees dance.', 'Statins lower cholesterol.', 'Snow.'];

  test.each(['/v2/rerank', '/v1/rerank', '/rerank'])('%s is that of Cohere', async (path) => {
    const query = 'statins lower';
    const body = { model: 'any', query, documents, top_n: 2, return_documents: true };
    const { results, id } = (await post(path, body)) as {
      id: string;
      results: { index: number; relevance_score: number; document: { text: string } }[];
    };
    expect(typeof id).toBe('string');
    expect(results.map(({ index }) => index)[0]).toBe(1);
    expect(results).toHaveLength(2);
    expect(results[0].relevance_score).toBeCloseTo(1, 5);
    expect(results[0].document.text).toBe(documents[1]);
  });

  test('token vectors come in the forms of Jina and vLLM', async () => {
    const input = ['Bees dance', 'Snow'];
    const jina = (await post('/v1/multi-vector', { model: 'x', input, input_type: 'query' })) as {
      data: { index: number; embeddings: number[][] }[];
    };
    expect(jina.data.map(({ embeddings }) => embeddings.map(({ length }) => length))).toEqual([
      [16, 16],
      [16],
    ]);
    const vllm = (await post('/pooling', { model: 'x', input: 'Snow' })) as {
      data: { index: number; data: number[][] }[];
    };
    expect(vllm.data[0].data).toEqual(jina.data[1].embeddings);
  });
});

test('methods that a client makes up are counted together', async () => {
  const { handler, ask } = await smallServer();
  for (const method of ['MADE', 'UP', 'METHODS'])
    await handler.fetch(new Request('http://localhost/collections', { method }));
  const counted = await (await ask('/metrics')).text();
  expect(counted).toContain('lemur_requests_total{method="other",route="",status="405"} 3\n');
  expect(counted).not.toContain('MADE');
});
