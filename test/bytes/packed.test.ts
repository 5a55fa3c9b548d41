import { deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { unpack, unpackText } from '../../src/bytes/packed.js';
import { numbers } from '../numbers.js';

const packed = (content: Uint8Array | string): string => deflateRawSync(content).toString('base64');

test('bytes come back as they were packed, none and more than a chunk of a stream', async () => {
  for (const length of [0, 1, 300_000]) {
    const bytes = Uint8Array.from(numbers(1).floats(length), (value) => value * 100);
    expect(await unpack(packed(bytes))).toEqual(bytes);
  }
});

test('texts keep what is beyond ASCII', async () => {
  expect(await unpackText(packed('a–ü\u{1F600}'))).toBe('a–ü\u{1F600}');
});

test('bytes that are not deflated are refused', async () => {
  await expect(unpack(btoa('no deflated bytes'))).rejects.toThrow();
});
