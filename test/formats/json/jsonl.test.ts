import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ByteStream, readJsonLines, readLines } from '../../../src/formats/json/jsonl.js';
import { turnsOf } from '../../turns.js';

const encoder = new TextEncoder();

async function* chunks(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === 'string' ? encoder.encode(part) : part;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const parse = (source: ByteStream) => collect(readJsonLines(source, 'a.jsonl'));

describe('lines', () => {
  test('end with LF, CRLF or nothing; blank ones count but are not yielded; a byte order mark is dropped', async () => {
    expect(await parse(chunks('\ufeff{"a":1}\r\n\n  \r\n[2]\n"drei"'))).toMatchObject([
      { line: 1, value: { a: 1 } },
      { line: 4, value: [2] },
      { line: 5, value: 'drei' },
    ]);
  });

  test('an empty source, one of blank lines and one of a byte order mark alone have none', async () => {
    for (const text of ['', '\n', '\r\n \n', '\ufeff'])
      expect(await parse(chunks(text))).toEqual([]);
    expect(await parse(chunks())).toEqual([]);
  });

  test('a byte order mark inside the text belongs to the text', async () => {
    await expect(parse(chunks('1\n\ufeff2\n'))).rejects.toThrow('a.jsonl: line 2: not JSON');
  });

  test('are the same wherever the chunks are cut', async () => {
    const value = fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' }));
    const ends = fc.constantFrom('\n', '\r\n', '\n\n');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(value, ends)),
        fc.boolean(),
        fc.array(fc.nat()),
        async (rows, open, cuts) => {
          let text = rows.map(([item, end]) => JSON.stringify(item) + end).join('');
          if (open) text = text.trimEnd();
          const bytes = encoder.encode(text);
          const at = [
            0,
            ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b),
            bytes.length,
          ];
          const parts = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
          const got = await parse(chunks(...parts));
          expect(got.map((entry) => entry.value)).toEqual(
            rows.map(([item]) => JSON.parse(JSON.stringify(item))),
          );
        },
      ),
    );
  });

  test('survive a source that fills one buffer again and again', async () => {
    async function* reusing(): AsyncGenerator<Uint8Array> {
      const buffer = new Uint8Array(3);
      for (const part of ['{"a', '":1', '2}\n', '[3]']) {
        buffer.set(encoder.encode(part));
        yield buffer;
      }
    }
    expect((await parse(reusing())).map((entry) => entry.value)).toEqual([{ a: 12 }, [3]]);
  });
});

describe('errors', () => {
  test('name the file and the line', async () => {
    await expect(parse(chunks('{}\n\n{"a":\n{}'))).rejects.toMatchObject({
      code: 'bad-file',
      message: 'a.jsonl: line 3: not JSON: {"a":',
      cause: expect.any(SyntaxError),
    });
    await expect(parse(chunks('1\n', Uint8Array.of(0x22, 0xff, 0x22)))).rejects.toMatchObject({
      code: 'bad-file',
      message: 'a.jsonl: line 2: not UTF-8',
    });
  });

  test('come for a line that is too long, before all of it was read', async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        given++;
        yield encoder.encode('x'.repeat(100));
      }
    }
    const lines = readLines(endless(), 'a.txt', { maxLineBytes: 1000 });
    await expect(collect(lines)).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringContaining('line 1: more than 1000 bytes'),
    });
    expect(given).toBe(11);
    expect(
      await collect(readLines(chunks('x'.repeat(1000), '\ny'), 'a.txt', { maxLineBytes: 1000 })),
    ).toHaveLength(2);
  });

  test('come for a line of more than 6 MiB, and say another way in', async () => {
    const most = 6 * 2 ** 20;
    const longest = `"${'x'.repeat(most - 2)}"`;
    const read = await turnsOf(() => parse(chunks(`${longest}\n${longest}\n${longest}\n1`)));
    expect(read.value.map(({ value }) => (value as string).length)).toEqual([
      most - 2,
      most - 2,
      most - 2,
      undefined,
    ]);
    // decoded, then parsed
    expect(read.turns).toBeGreaterThanOrEqual(1);
    await expect(parse(chunks(`1\n${longest} `))).rejects.toMatchObject({
      code: 'bad-file',
      message:
        'a.jsonl: line 2: more than 6291456 bytes; is this one object a line? A longer text ' +
        'can be given as a file of its own, and token vectors as .npy or safetensors',
    });
    expect(
      await collect(readJsonLines(chunks(`${longest} `), 'a.jsonl', { maxLineBytes: most + 1 })),
    ).toHaveLength(1);
  });

  test('come for chunks that are not bytes', async () => {
    const strings = (async function* () {
      yield '{}';
    })() as unknown as ByteStream;
    await expect(parse(strings)).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

describe('web streams', () => {
  const stream = (onCancel: () => void, text: string) =>
    new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(encoder.encode(text)),
      cancel: onCancel,
    });

  test('are read to their end', async () => {
    expect(await parse(new Blob(['{"a":1}\n', '[2]\n']).stream())).toHaveLength(2);
  });

  test('are cancelled when the loop is left early', async () => {
    let cancelled = 0;
    const source = stream(() => cancelled++, '1\n');
    for await (const { value } of readJsonLines(source, 'a.jsonl')) {
      expect(value).toBe(1);
      break;
    }
    expect(cancelled).toBe(1);
    expect(source.locked).toBe(false);
  });

  test('are cancelled when a line is bad, and keep their own error', async () => {
    let cancelled = 0;
    await expect(parse(stream(() => cancelled++, '{\n'))).rejects.toMatchObject({
      code: 'bad-file',
    });
    expect(cancelled).toBe(1);
    const broken = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error('gone')),
    });
    await expect(parse(broken)).rejects.toThrow('gone');
  });
});

test('the thread is given away at least once for every 4,096 lines, and for 64 times as many blank ones', async () => {
  // all in one chunk, from a source that waits for nothing
  const read = await turnsOf(() =>
    collect(readJsonLines(chunks('{"a":1}\n'.repeat(40_000)), 'a.jsonl')),
  );
  expect(read.value).toHaveLength(40_000);
  expect(read.turns).toBeGreaterThanOrEqual(8);
  const blank = await turnsOf(() =>
    collect(readLines(chunks(`${'\n'.repeat(500_001)}${'\r\n'.repeat(20_000)}a\n\n\nb`), 'a.txt')),
  );
  expect(blank.value).toEqual([
    { line: 520_002, text: 'a' },
    { line: 520_005, text: 'b' },
  ]);
  expect(blank.turns).toBeGreaterThanOrEqual(5);
});
