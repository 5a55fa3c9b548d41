import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { crc32, crc32Paced, plainCrc32, provideCrc32 } from '../../src/bytes/crc32.js';
import { nodePlatform } from '../../src/entry/node-platform.js';

afterEach(() => provideCrc32(undefined));

test('the checksum of the digits 1 to 9 is the one that the standard gives', () => {
  const digits = new TextEncoder().encode('123456789');
  expect(plainCrc32(digits)).toBe(0xcbf43926);
  expect(nodePlatform.crc32?.(digits)).toBe(0xcbf43926);
});

test('the checksum of Node is the plain one, from any checksum of the bytes before', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, cut) => {
      const whole = plainCrc32(bytes);
      expect(plainCrc32(bytes.subarray(cut), plainCrc32(bytes.subarray(0, cut)))).toBe(whole);
      expect(nodePlatform.crc32?.(bytes.subarray(cut), plainCrc32(bytes.subarray(0, cut)))).toBe(
        whole,
      );
    }),
  );
});

test('what a platform provides is used from then on', async () => {
  provideCrc32(() => 42);
  expect(crc32(new Uint8Array(1))).toBe(42);
  expect(await crc32Paced(new Uint8Array(1))).toBe(42);
  provideCrc32(undefined);
  expect(crc32(new Uint8Array())).toBe(0);
});
