import { expect, test } from 'vitest';
import { OPEN_API } from '../../dist/server/open-api.js';
import { SCHEMAS } from '../../dist/server/open-api-schemas.js';
import { numbersOf } from './random-values.js';
import { DOCUMENTS, smallServer } from './small-server.js';

const REQUESTS = 10_000;

test('ten thousand random requests get no answer of 500, and none with a path or a stack', async () => {
  const { ask, index } = await smallServer({ bodyTimeoutMs: 2000 });
  const { draw, value } = numbersOf(1);
  const operations = Object.entries(OPEN_API.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
  );
  const fields = Object.values(SCHEMAS).flatMap(({ properties }) => Object.keys(properties ?? {}));
  const names = ['papers', 'papers', 'other', '%2e%2e', '..%2f..%2fetc', '%00', 'a%20b', '💥'];
  const counts = new Map<number, number>();
  for (let i = 0; i < REQUESTS; i++) {
    const { method, path } = draw(operations);
    const filled = path.replace('{name}', () => draw(names)).replace('{id}', () => draw(names));
    const some = Array.from({ length: draw([0, 1, 2, 4]) }, () => [draw(fields), value()]);
    const body = Object.fromEntries(some);
    const init = method === 'POST' ? { json: draw([body, body, body, value()]) ?? {} } : { method };
    const response = await ask(filled, init);
    const text = await response.text();
    counts.set(response.status, (counts.get(response.status) ?? 0) + 1);
    if (response.status >= 500 || /\/(work|home|tmp|usr|node_modules)\/|\n\s+at /.test(text))
      throw new Error(`${method} ${filled} ${JSON.stringify(init)}: ${response.status} ${text}`);
    // what was deleted comes again, so that there is something to find
    if (index.size === 0) await index.add(DOCUMENTS, { onExisting: 'skip' });
  }
  for (const status of [200, 202, 400, 404]) expect(counts.get(status) ?? 0).toBeGreaterThan(0);
});
