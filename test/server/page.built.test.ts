import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { rawRequest } from './raw-request.js';
import { smallServer } from './small-server.js';

const { ask, url, handler } = await smallServer();
const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
const FILES = ['/page/search.js', '/page/search.css', '/page/icon.svg'];

const paths = ['/', ...FILES];

describe('a browser', () => {
  test('gets the page at /, whose files are the ones that it names', async () => {
    const response = await ask('/', { headers: BROWSER });
    expect([response.status, response.headers.get('vary')]).toEqual([200, 'accept']);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const html = await response.text();
    expect(html).toMatch(/^<!doctype html>/);
    const named = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name]) => `/${name}`);
    expect([...new Set(named)].sort()).toEqual([...FILES].sort());
    const types = await Promise.all(
      FILES.map(async (path) => (await ask(path)).headers.get('content-type')),
    );
    expect(types).toEqual([
      'text/javascript; charset=utf-8',
      'text/css; charset=utf-8',
      'image/svg+xml',
    ]);
  });

  test('finds no script, style or handler in the page itself', async () => {
    const html = await (await ask('/', { headers: BROWSER })).text();
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:|https?:/i);
    expect([...html.matchAll(/<script[^>]*>([^<]*)</g)].map(([, text]) => text)).toEqual(['']);
  });

  test.each(paths)('may do nothing at %s but what the page needs', async (path) => {
    const { headers } = await ask(path, { headers: BROWSER });
    const policy = new Map(
      (headers.get('content-security-policy') ?? '').split('; ').map((rule) => {
        const [name, ...values] = rule.split(' ');
        return [name, values.join(' ')] as const;
      }),
    );
    expect(policy.get('default-src')).toBe("'none'");
    expect(policy.get('script-src')).toBe("'self'");
    expect(policy.get('style-src')).toBe("'self'");
    expect(policy.get('frame-ancestors')).toBe("'none'");
    expect(policy.get('require-trusted-types-for')).toBe("'script'");
    expect(headers.get('content-security-policy')).not.toMatch(/unsafe|\*|http|data:/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-cache');
  });

  test.each(paths)('that has %s already is told so', async (path) => {
    const first = await ask(path, { headers: BROWSER });
    const etag = first.headers.get('etag') ?? '';
    const hash = createHash('sha256')
      .update(await first.text())
      .digest('hex');
    expect(etag).toBe(`"${hash.slice(0, 16)}"`);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await ask(path, { headers: { ...BROWSER, 'if-none-match': known } });
      expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([
        304,
        '',
        etag,
      ]);
    }
    const other = await ask(path, { headers: { ...BROWSER, 'if-none-match': '"other"' } });
    expect(other.status).toBe(200);
  });

  test.each(paths)('that asks for the head of %s gets it', async (path) => {
    const response = await ask(path, { method: 'HEAD', headers: BROWSER });
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect(response.headers.get('etag')).toMatch(/^"[0-9a-f]{16}"$/);
  });

  test('gets it over a bare socket', async () => {
    const lines = ['GET / HTTP/1.1', 'host: localhost', 'accept: text/html', 'connection: close'];
    const answer = await rawRequest(url, [`${lines.join('\r\n')}\r\n\r\n`]);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n.*<!doctype html>/s);
  });
});

describe('a program', () => {
  test.each([undefined, '*/*', 'application/json'])(
    'that takes %s gets at / what it got before there was a page',
    async (accept) => {
      const headers: Record<string, string> = accept === undefined ? {} : { accept };
      const response = await handler.fetch(new Request('http://localhost/', { headers }));
      expect([response.status, response.headers.get('content-type')]).toEqual([
        404,
        'application/problem+json',
      ]);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(await response.json()).toMatchObject({
        code: 'not-found',
        detail: 'nothing is served at this address',
      });
    },
  );

  test('cannot send anything there', async () => {
    const response = await ask('/', { json: {}, headers: BROWSER });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });
});

test('without the page nothing of it is there', async () => {
  const { ask: bare } = await smallServer({ page: false });
  const statuses = await Promise.all(
    paths.map(async (path) => (await bare(path, { headers: BROWSER })).status),
  );
  expect(statuses).toEqual(paths.map(() => 404));
});

test('the page comes without the key that all else needs, to a host that is answered', async () => {
  const { ask: locked } = await smallServer({ apiKey: 'secret', readOnly: true });
  const statuses = await Promise.all(
    [...paths, '/collections', '/collections/papers/fields'].map(
      async (path) => (await locked(path, { headers: BROWSER })).status,
    ),
  );
  expect(statuses).toEqual([...paths.map(() => 200), 401, 401]);
  const { handler: bound } = await smallServer({ hosts: ['localhost'] });
  const request = new Request('http://evil.example/', { headers: BROWSER });
  expect((await bound.fetch(request)).status).toBe(421);
});
