import { expect, test } from 'vitest';
import { createIdTable, encodeId } from '../../../src/collection/files/id-table.js';

const tableOf = (ids: readonly string[]) => {
  const parts = ids.map((id) => new TextEncoder().encode(id));
  let end = 0;
  const ends = Int32Array.from(parts, ({ length }) => {
    end += length;
    return end;
  });
  return createIdTable(Uint8Array.from(parts.flatMap((part) => [...part])), ends);
};

test('an id is encoded once and found in any number of tables', async () => {
  const ids = Array.from({ length: 500 }, (_, i) => `${i % 3 === 0 ? '\ufeff' : 'ä'}${i}`);
  const parts = [ids.slice(0, 200), ids.slice(200, 201), ids.slice(201)];
  const tables = await Promise.all(parts.map(tableOf));
  for (const [i, id] of ids.entries()) {
    const encoded = encodeId(id);
    const expected = [i < 200 ? i : -1, i === 200 ? 0 : -1, i > 200 ? i - 201 : -1];
    expect(tables.map((table) => table.find(encoded))).toEqual(expected);
    expect(tables.map((table, t) => (expected[t] < 0 ? id : table.id(expected[t])))).toEqual([
      id,
      id,
      id,
    ]);
  }
  expect((await tableOf([])).find(encodeId('a'))).toBe(-1);
});
