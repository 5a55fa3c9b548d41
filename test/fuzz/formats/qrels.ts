import { parseQrels } from '../../../src/formats/texts/beir.js';
import { mutateBytes } from '../../mutations.js';
import { chunks } from './chunks.js';
import { hold, reader, WHERE } from './reader.js';

const encoder = new TextEncoder();
const qrelsSeeds = [
  'query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t0\nq2\td1\t-1\n',
  'q1\td1\t2\r\nq1\td1\t2',
].map((lines) => encoder.encode(lines));
const qrelsWords = ['\t', '\n', '\r', '1e9', '999999999', '__proto__', '\u00a0', 'q1\td1\t'].map(
  (word) => encoder.encode(word),
);

export const qrels = reader(
  'qrels',
  (random) => mutateBytes({ seeds: qrelsSeeds, words: qrelsWords }, random),
  async (input, random) => {
    for (const judgements of (await parseQrels(chunks(input, random), WHERE)).values()) {
      for (const grade of judgements.values()) hold(Number.isInteger(grade), `grade ${grade}`);
    }
  },
);
