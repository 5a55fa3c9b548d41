import { findInexactNumber } from '../../../src/formats/json/inexact-numbers.js';
import { type JsonLine, readJsonLines } from '../../../src/formats/json/jsonl.js';
import {
  type BeirDocument,
  parseBeirDocuments,
  parseBeirQueries,
  type UnreadFields,
} from '../../../src/formats/texts/beir.js';
import { concat, mutateBytes, mutateJson, type Random } from '../../mutations.js';
import { chunks } from './chunks.js';
import { hold, reader, WHERE } from './reader.js';

const encoder = new TextEncoder();
const beirLines = [
  {
    _id: 'd1',
    title: 'Statins',
    text: 'lower cholesterol',
    metadata: { year: 2011, tags: ['a', 'b'] },
  },
  { _id: 17, text: 'ünïcode \u{1f600} text', title: null },
  { _id: 'd3', text: '' },
];
const textSeeds = [
  '{"_id":"1","text":"one"}\n{"_id":"2","text":"two"}\n',
  '\ufeff[1,2,{"a":null}]\r\n\r\n"x"\n3',
  '\n',
].map((lines) => encoder.encode(lines));
const textWords = [
  '\ufeff',
  '\r\n',
  '\n',
  '\u2028',
  '\ud800',
  '\\u',
  '{"',
  '"}',
  'null',
  '__proto__',
  '9007199254740993',
  '[1e999,',
  ':-12345678901234567',
].map((word) => encoder.encode(word));

function mutateLines(random: Random): Uint8Array {
  const newline = encoder.encode(random.pick(['\n', '\r\n', '\n\n']));
  if (random.oneIn(3)) return mutateBytes({ seeds: textSeeds, words: textWords }, random);
  const hostile = random.below(beirLines.length);
  return concat(
    ...beirLines.flatMap((line, i) => [
      i === hostile ? mutateJson(line, random) : encoder.encode(JSON.stringify(line)),
      newline,
    ]),
  );
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of items) out.push(item);
  return out;
}

export const jsonl = reader('jsonl', mutateLines, async (input, random) => {
  const found: JsonLine[] = await all(readJsonLines(chunks(input, random), WHERE));
  hold(
    found.every(({ line }, i) => line > (found[i - 1]?.line ?? 0)),
    'lines without an order',
  );
  // the same, taken apart by other means
  const lines = new TextDecoder().decode(input).split('\n');
  for (const { line, value, text } of found) {
    const inexact = findInexactNumber(text);
    hold(!inexact || text.includes(inexact.literal), `line ${line}: a number that is not there`);
    const expected: unknown = JSON.parse(lines[line - 1]);
    hold(typeof expected === typeof value, `line ${line} is ${typeof value}`);
  }
});

export const beir = reader('beir', mutateLines, async (input, random) => {
  const unread: UnreadFields = new Map();
  const read = random.oneIn(2)
    ? all(parseBeirDocuments(chunks(input, random), WHERE, unread))
    : (parseBeirQueries(chunks(input, random), WHERE, unread) as Promise<BeirDocument[]>);
  const found = await read;
  hold(new Set(found.map(({ id }) => id)).size === found.length, 'an id twice');
  hold(
    found.every(
      ({ id, text, title = '' }) =>
        id !== '' && [id, text, title].every((value) => typeof value === 'string'),
    ),
    'an id, title or text that is no text',
  );
  hold(
    [...unread.values()].every((lines) => lines <= found.length + 1),
    'fields of more lines than there are',
  );
});
