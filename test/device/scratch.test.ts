import { expect, test } from 'vitest';
import { guardBytes } from '../../src/device/cpu/scratch-area.js';
import { Scratch } from '../../src/device/cpu/worker/scratch.js';

const BYTES = 256;

function scratchOver(guarded: boolean) {
  const buffer = new ArrayBuffer(1024 + BYTES + guardBytes(guarded));
  const scratch = new Scratch(() => ({ buffer }), guarded);
  scratch.begin('operation', { address: 1024, bytes: BYTES });
  return { scratch, bytes: new Uint8Array(buffer) };
}

test.each([true, false])('scratch begins at its address and is aligned; guards: %s', (guarded) => {
  const { scratch } = scratchOver(guarded);
  expect(scratch.take(1)).toBe(1024);
  const second = scratch.take(64);
  expect(second % 64).toBe(0);
  expect(second).toBeGreaterThanOrEqual(1024 + 64);
});

test.each([true, false])('more scratch than was stated is refused; guards: %s', (guarded) => {
  const { scratch } = scratchOver(guarded);
  const mark = scratch.mark();
  scratch.take(BYTES);
  expect(() => scratch.take(1)).toThrow('operation: 320 bytes of scratch, 256 were stated');
  scratch.rewind(mark);
  expect(scratch.take(BYTES)).toBe(1024);
  expect(() => scratch.take(1)).toThrow();
  scratch.begin('operation', { address: 1024, bytes: BYTES });
  expect(scratch.take(BYTES)).toBe(1024);
});

test('a write behind a piece of scratch is noticed, when it is given back or at the end', () => {
  for (const giveBack of [true, false]) {
    const { scratch, bytes } = scratchOver(true);
    const mark = scratch.mark();
    const address = scratch.take(10);
    scratch.take(20);
    bytes[address + 9] = 1;
    scratch.rewind(scratch.mark());
    bytes[address + 10] = 1;
    const finish = () => (giveBack ? scratch.rewind(mark) : scratch.end());
    expect(finish).toThrow('operation: wrote behind 10 bytes of scratch');
  }
});

test('without guards a write behind a piece goes unnoticed', () => {
  const { scratch, bytes } = scratchOver(false);
  bytes[scratch.take(10) + 10] = 1;
  expect(() => scratch.end()).not.toThrow();
});
