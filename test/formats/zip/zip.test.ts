import { describe, expect, test } from 'vitest';
import { readZip } from '../../../src/formats/zip/zip.js';
import { bytes, zip } from '../torch/torch-bytes.js';

const entries = [
  ['a/one', bytes('the first')],
  ['a/empty', bytes()],
  ['b', bytes(0, 255, 'PK', 1, 2)],
] as const;

const at = (file: Uint8Array, signature: string, from = 0): number =>
  Buffer.from(file).indexOf(Buffer.from(signature, 'latin1'), from);

/** With other bytes at one place. */
function changed(file: Uint8Array, place: number, ...values: number[]): Uint8Array {
  const out = file.slice();
  out.set(values, place);
  return out;
}

describe('a zip file', () => {
  test.each([false, true])(
    'gives its entries, also by zip64 records (%s), also from the middle of a buffer',
    async (zip64) => {
      const file = zip(entries, { zip64 });
      const within = Buffer.concat([Buffer.from('12345'), file]).subarray(5);
      for (const given of [file, within]) {
        const read = await readZip(given, 'x.zip');
        expect([...read].map(([name, data]) => [name, [...data]])).toEqual(
          entries.map(([name, data]) => [name, [...data]]),
        );
      }
    },
  );

  test('may be empty', async () => {
    expect((await readZip(zip([]), 'x.zip')).size).toBe(0);
  });

  test.each([false, true])(
    'is refused by its name at every length that is not its own (zip64: %s)',
    async (zip64) => {
      const file = zip(entries, { zip64 });
      for (let length = 0; length < file.length; length++) {
        await expect(readZip(file.subarray(0, length), 'x.zip')).rejects.toMatchObject({
          code: 'bad-file',
          fields: { where: 'x.zip' },
        });
      }
      await expect(readZip(bytes(file, 0), 'x.zip')).rejects.toMatchObject({ code: 'bad-file' });
    },
  );

  test('is refused when a single byte of an entry, or of its checksum, differs', async () => {
    const file = zip(entries);
    const first = at(file, 'the first');
    for (let i = 0; i < 9; i++)
      await expect(readZip(changed(file, first + i, file[first + i] ^ 1), 'x.zip')).rejects.toThrow(
        /checksum of entry 'a\/one'/,
      );
    const central = at(file, 'PK\x01\x02', at(file, 'PK\x01\x02') + 1);
    for (let i = 16; i < 20; i++)
      await expect(
        readZip(changed(file, central + i, file[central + i] ^ 128), 'x.zip'),
      ).rejects.toThrow(/checksum/);
  });

  test('is refused with compressed or encrypted entries, and when it is one of several', async () => {
    for (const file of [
      zip(entries, { method: 8 }),
      zip(entries, { flags: 1 }),
      changed(zip(entries), zip(entries).length - 18, 1),
    ]) {
      await expect(readZip(file, 'x.zip')).rejects.toMatchObject({
        code: 'unsupported',
        message: expect.stringContaining('x.zip'),
      });
    }
  });

  test('is refused when entries overlap, come twice or lie in the directory', async () => {
    const twice = zip([
      ['a', bytes('1')],
      ['a', bytes('1')],
    ]);
    await expect(readZip(twice, 'x.zip')).rejects.toThrow(/'a' comes twice/);
    const one = zip([
      ['a', bytes('1')],
      ['b', bytes('1')],
    ]);
    const directory = at(one, 'PK\x01\x02');
    const grown = changed(changed(one, directory + 20, 18), directory + 24, 18);
    await expect(readZip(grown, 'x.zip')).rejects.toThrow(/'b' overlaps/);
    const huge = changed(
      changed(one, directory + 20, 255, 255, 255, 127),
      directory + 24,
      255,
      255,
      255,
      127,
    );
    await expect(readZip(huge, 'x.zip')).rejects.toThrow(/ends at byte 2147483/);
  });

  test('is refused when its zip64 sizes are beyond anything', async () => {
    const file = zip(entries, { zip64: true });
    const record = at(file, 'PK\x06\x06');
    for (const field of [4, 24, 32, 40, 48]) {
      await expect(
        readZip(changed(file, record + field, ...new Array<number>(8).fill(255)), 'x.zip'),
      ).rejects.toMatchObject({
        code: 'bad-file',
      });
    }
  });
});
