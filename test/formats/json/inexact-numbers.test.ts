import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findInexactNumber } from '../../../src/formats/json/inexact-numbers.js';
import {
  parseBeirDocuments,
  parseBeirQueries,
  type UnreadFields,
} from '../../../src/formats/texts/beir.js';

const lines = async function* (text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
};
const documents = async (text: string, unread?: UnreadFields): Promise<unknown[]> => {
  const all: unknown[] = [];
  for await (const document of parseBeirDocuments(lines(text), 'x.jsonl', unread))
    all.push(document);
  return all;
};

test.each([
  ['12345678901234567', '', '12345678901234567'],
  ['-9007199254740993', '', '-9007199254740993'],
  ['[1,{"a":[true,"]9007199254740993",9007199254740993]}]', '[1].a[2]', '9007199254740993'],
  ['{"a\\"9007199254740993\\\\":{"b":1},"c":{"d.e":[[],{},1e999]}}', 'c.d.e[2]', '1e999'],
  ['{ "a" : 1 , "b" : [ 1 , -1E+400 ] }', 'b[1]', '-1E+400'],
])('%s: finds what would be rounded, and where', (text, path, literal) => {
  expect(findInexactNumber(text)).toEqual({ path, literal });
});

test.each([
  '9007199254740992',
  '100000000000000000000',
  '0.1234567890123456789',
  '1e308',
  '1e-400',
  '"12345678901234567"',
  '{"12345678901234567":1}',
  '[]',
])('%s: is kept as it is, or is a fraction', (text) =>
  expect(findInexactNumber(text)).toBeUndefined(),
);

test('any JSON value whose numbers are exact passes, and any whole number that comes back as another is found', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.bigInt({ min: 2n ** 54n, max: 2n ** 70n }), (value, whole) => {
      expect(findInexactNumber(JSON.stringify(value))).toBeUndefined();
      const found = findInexactNumber(`[${JSON.stringify(value)},{"n":${whole}}]`);
      const same = BigInt(Number(whole)) === whole || String(Number(whole)) === String(whole);
      expect(found).toEqual(same ? undefined : { path: '[1].n', literal: String(whole) });
    }),
    { numRuns: 300 },
  );
});

test('strings of a million characters, and 100,000 levels, are no obstacle', () => {
  const long = JSON.stringify('"\\'.repeat(500_000));
  expect(findInexactNumber(`[${long},9007199254740993]`)?.path).toBe('[1]');
  expect(
    findInexactNumber(`${'['.repeat(100_000)}9007199254740993${']'.repeat(100_000)}`)?.literal,
  ).toBe('9007199254740993');
});

test('ids and metadata of JSON lines are refused with field and line; what is not read does not matter', async () => {
  const good = '{"_id":"1","text":"a"}\n';
  for (const [line, message] of [
    [
      '{"_id":9007199254740993,"text":"a"}',
      /x\.jsonl: line 2: "_id" is 9007199254740993, a whole number beyond 2\^53, which would be rounded; write it as a string/,
    ],
    [
      '{"id":"2","text":"a","metadata":{"user":{"ids":[7,123456789012345678]}}}',
      /line 2: "metadata\.user\.ids\[1\]" is 123456789012345678/,
    ],
    [
      '{"id":"2","text":"a","metadata":{"x":1e400}}',
      /line 2: "metadata\.x" is 1e400, a number beyond the range of float64/,
    ],
  ] as const) {
    await expect(documents(good + line)).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringMatching(message),
    });
    await expect(parseBeirQueries(lines(good + line), 'x.jsonl')).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringMatching(message),
    });
  }
  expect(
    await documents(
      '{"_id":"1","text":"9007199254740993","uid":9007199254740993,' +
        '"metadata":{"big":"9007199254740993"}}',
    ),
  ).toEqual([
    { id: '1', title: '', text: '9007199254740993', metadata: { big: '9007199254740993' } },
  ]);
});

test('fields that nothing reads are counted', async () => {
  const unread: UnreadFields = new Map();
  await documents(
    '{"_id":"1","id":"x","text":"a","Text":"b"}\n' +
      '{"id":"2","title":"t","text":"a","url":1,"metadata":{"url":2}}\n' +
      '{"_id":"3","text":"c","url":3}',
    unread,
  );
  expect([...unread]).toEqual([
    ['id', 1],
    ['Text', 1],
    ['url', 2],
  ]);
  const ofQueries: UnreadFields = new Map();
  await parseBeirQueries(lines('{"_id":"1","text":"a","title":"b"}'), 'x', ofQueries);
  expect([...ofQueries]).toEqual([['title', 1]]);
});
