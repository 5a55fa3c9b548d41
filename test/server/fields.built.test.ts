import { expect, test } from 'vitest';
import { smallServer } from './small-server.js';

const { ask, index } = await smallServer();
const fieldsNow = async (): Promise<unknown> =>
  (await (await ask('/collections/papers/fields')).json()).fields;

test('fields tell how documents can be filtered', async () => {
  // beside the three that have years from 1967 to 2011
  const added = Array.from({ length: 6 }, (_, i) => ({
    id: `added ${i}`,
    text: 'More.',
    metadata: {
      year: 1990 + i,
      lang: ['en', 'de'][i % 2],
      tags: i < 3 ? ['new', 'old'] : [],
      author: { name: `Author ${i}`, size: i / 2 },
      draft: i === 0,
      written: `2024-0${i + 1}-01T10:00:00Z`,
      mixed: i % 2 === 0 ? i : 'text',
      nothing: null,
      $odd: i,
    },
  }));
  await index.add(added);
  expect(await fieldsNow()).toEqual([
    { path: 'author.size', type: 'number', min: 0, max: 2.5 },
    { path: 'draft', type: 'boolean' },
    { path: 'lang', type: 'string', values: ['de', 'en'] },
    { path: 'tags', type: 'string', values: ['new', 'old'] },
    { path: 'written', type: 'date', min: '2024-01-01T10:00:00Z', max: '2024-06-01T10:00:00Z' },
    { path: 'year', type: 'number', min: 1967, max: 2011 },
  ]);
});

test('documents that are deleted do not count', async () => {
  await index.delete(['bees', 'statins', 'added 0', 'added 5']);
  expect(await fieldsNow()).toEqual([
    { path: 'author.size', type: 'number', min: 0.5, max: 2 },
    { path: 'draft', type: 'boolean' },
    { path: 'lang', type: 'string', values: ['de', 'en'] },
    { path: 'tags', type: 'string', values: ['new', 'old'] },
    { path: 'written', type: 'date', min: '2024-02-01T10:00:00Z', max: '2024-05-01T10:00:00Z' },
    { path: 'year', type: 'number', min: 1991, max: 1994 },
  ]);
});

test('strings that are many are no choice', async () => {
  const documents = Array.from({ length: 60 }, (_, i) => ({
    id: `many ${i}`,
    text: 'Many.',
    metadata: { few: `value ${i % 24}`, many: `value ${i % 25}`, long: 'x'.repeat(6000) + i },
  }));
  await index.add(documents);
  const paths = ((await fieldsNow()) as { path: string }[]).map(({ path }) => path);
  expect(paths).toContain('few');
  expect(paths).not.toContain('many');
  expect(paths).not.toContain('long');
});

test('a collection that is not there has none', async () => {
  expect((await ask('/collections/nobody/fields')).status).toBe(404);
});
