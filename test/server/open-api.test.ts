import { expect, test } from 'vitest';
import { OPEN_API } from '../../src/server/open-api.js';
import { SCHEMAS } from '../../src/server/open-api-schemas.js';
import { ROUTES } from '../../src/server/routes.js';

const described = Object.entries(OPEN_API.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
);

test('OpenAPI has the routes that there are, and no others', () => {
  const there = ROUTES.map(({ method, path }) => `${method.toLowerCase()} ${path}`);
  const said = described.map(({ method, path }) => `${method} ${path}`);
  expect(said.sort()).toEqual([...there, 'post /mcp'].sort());
});

test('OpenAPI names the parameters of each path', () => {
  const wrong = described.filter(({ path, operation }) => {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const said = (operation.parameters ?? []).filter((one) => one.in === 'path');
    return named.join() !== said.map(({ name }) => name).join();
  });
  expect(wrong).toEqual([]);
});

test('what is answered without a key is what OpenAPI says so of', () => {
  const open = ROUTES.filter((route) => route.open).map(({ path }) => path);
  const said = described.filter(({ operation }) => operation.security).map(({ path }) => path);
  expect(said.sort()).toEqual(open.sort());
});

test('every schema that OpenAPI refers to is there, and every one there is used', () => {
  const text = JSON.stringify(OPEN_API);
  const used = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
  expect([...new Set(used)].sort()).toEqual(Object.keys(SCHEMAS).sort());
});
