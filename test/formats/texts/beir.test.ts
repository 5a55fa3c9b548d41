import { describe, expect, test } from 'vitest';
import {
  parseBeirDocuments,
  parseBeirQueries,
  parseQrels,
} from '../../../src/formats/texts/beir.js';

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

async function documents(text: string): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const document of parseBeirDocuments(bytes(text))) all.push(document);
  return all;
}

describe('documents', () => {
  test('have an id, a title and a text, and metadata where the file has them', async () => {
    const text =
      '{"_id":"a","title":"T","text":"x","metadata":{"year":1999}}\n{"_id":"b","text":""}\n' +
      '{"_id":7,"title":null,"text":"y","metadata":null}\n';
    expect(await documents(text)).toEqual([
      { id: 'a', title: 'T', text: 'x', metadata: { year: 1999 } },
      { id: 'b', title: '', text: '' },
      { id: '7', title: '', text: 'y' },
    ]);
  });

  const bad: Record<string, [string, string]> = {
    'that is no object': ['[1]', 'line 1: [1], expected an object'],
    'without an id': ['{"text":"x"}', 'line 1: "_id" of nothing'],
    'with an empty id': ['{"_id":"","text":"x"}', 'line 1: "_id" of ""'],
    'with an id that is a fraction': ['{"_id":1.5,"text":"x"}', 'line 1: "_id" of 1.5'],
    'with an id beyond exact integers': [
      '{"_id":9007199254740993,"text":"x"}',
      'line 1: "_id" is 9007199254740993, a whole number beyond 2^53',
    ],
    'without a text': ['\n{"_id":"a","title":"x"}', 'line 2: "text" of nothing'],
    'with a title that is no string': [
      '{"_id":"a","text":"x","title":[]}',
      'line 1: "title" of []',
    ],
    'with metadata that is no object': [
      '{"_id":"a","text":"x","metadata":3}',
      'line 1: "metadata" of 3',
    ],
    'with a text deeper than the stack': [
      `{"_id":"a","text":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
      'line 1: "text" of a value of too many levels',
    ],
  };
  for (const [what, [text, message]] of Object.entries(bad)) {
    test(`a line ${what} is a bad file`, async () => {
      await expect(documents(text)).rejects.toMatchObject({
        code: 'bad-file',
        message: expect.stringContaining(`corpus.jsonl: ${message}`),
      });
    });
  }

  test('an id that occurs twice is named with both lines', async () => {
    await expect(
      documents('{"_id":"a","text":"x"}\n{"_id":"1","text":"x"}\n{"_id":1,"text":"y"}'),
    ).rejects.toMatchObject({
      code: 'invalid-argument',
      message: 'corpus.jsonl: line 3: id "1" was already used in line 2; ids must be unique',
    });
  });
});

test('queries are read in order, and an id that occurs twice is refused', async () => {
  const text = '{"_id":"2","text":"b","metadata":{}}\r\n{"_id":"1","text":"a"}';
  expect(await parseBeirQueries(bytes(text))).toEqual([
    { id: '2', text: 'b', metadata: {} },
    { id: '1', text: 'a' },
  ]);
  await expect(parseBeirQueries(bytes(`${text}\n${text}`))).rejects.toMatchObject({
    code: 'invalid-argument',
  });
});

describe('judgements', () => {
  const want = new Map([
    [
      'q1',
      new Map([
        ['d1', 1],
        ['d2', -1],
      ]),
    ],
    ['q 2', new Map([['d1', 2]])],
  ]);
  const rows = 'q1\td1\t1\nq1\td2\t-1\r\n\nq 2\td1\t2';

  test('are read with and without a header', async () => {
    for (const header of [
      '',
      'query-id\tcorpus-id\tscore\n',
      '\ufeffquery_id\tdoc_id\trelevance\r\n',
    ]) {
      expect(await parseQrels(bytes(header + rows))).toEqual(want);
    }
  });

  test('that repeat the same grade count once; another grade is refused', async () => {
    expect(await parseQrels(bytes(`${rows}\nq1\td1\t1\n`))).toEqual(want);
    await expect(parseQrels(bytes(`${rows}\nq1\td1\t2\n`))).rejects.toMatchObject({
      code: 'invalid-argument',
      message: 'qrels.tsv: line 5: document "d1" is judged 1 and 2 for query "q1"',
    });
  });

  test('with a bad line say which and why', async () => {
    const bad: [string, string][] = [
      ['q\td\t1\nq\td\tscore', 'line 2: grade "score", expected an integer'],
      ['q\td\t0.5', 'line 1: grade "0.5"'],
      ['q\td\t', 'line 1: grade ""'],
      ['q d 1', 'line 1: 1 columns, expected 3'],
      ['q\t0\td\t1', 'line 1: 4 columns, expected 3'],
      ['\td\t1', 'line 1: an empty id'],
    ];
    for (const [text, message] of bad) {
      await expect(parseQrels(bytes(text))).rejects.toMatchObject({
        code: 'bad-file',
        message: expect.stringContaining(message),
      });
    }
  });
});
