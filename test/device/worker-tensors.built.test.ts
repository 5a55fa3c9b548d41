import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemoryHeap } from '../../dist/device/cpu/host/memory-heap.js';
import { TensorStore } from '../../dist/device/cpu/host/tensor-store.js';
import type { Pool } from '../../dist/device/cpu/host/worker-pool.js';
import type { ToWorker } from '../../dist/device/cpu/protocol.js';
import { joined } from '../../dist/device/cpu/tensor-location.js';
import {
  createWorkerTensors,
  type WorkerTensors,
} from '../../dist/device/cpu/worker/worker-tensors.js';
import type { Tensor } from '../../dist/device/memory.js';

/** A file of bytes 0, 1, 2, ... that is read at most three bytes at a time. */
const files = {
  read(_descriptor: number, target: Uint8Array, position: number): number {
    const bytes = Uint8Array.from(
      { length: Math.max(0, Math.min(3, target.length, 200 - position)) },
      (_, i) => position + i,
    );
    target.set(bytes);
    return bytes.length;
  },
  crc32: () => 0,
};

function tensorsOver(memory: WebAssembly.Memory): WorkerTensors {
  return createWorkerTensors(() => memory, files);
}

describe('the tensors of a worker', () => {
  test('give an address where values lie together in the kernels’ memory, within a part too, and nowhere else', () => {
    const tensors = tensorsOver(new WebAssembly.Memory({ initial: 1 }));
    const [a, b, c, d]: Tensor<'f32'>[] = [1, 2, 3, 4].map((id) => ({
      id,
      dtype: 'f32',
      length: 10,
    }));
    const whole: Tensor<'f32'> = { id: 5, dtype: 'f32', length: 40 };
    tensors.set(a.id, { kind: 'memory', address: 64 });
    tensors.set(b.id, { kind: 'file', file: { descriptor: 0, offset: 1, name: 'b.seg' } });
    tensors.set(c.id, { kind: 'memory', address: 1024 });
    tensors.set(d.id, { kind: 'buffer', buffer: new ArrayBuffer(40) });
    tensors.set(whole.id, joined([a, b, c, d]));
    expect(tensors.address(a, 3, 10)).toBe(64 + 12);
    expect(tensors.address(b, 0, 1)).toBe(-1);
    expect(tensors.address(whole, 0, 10)).toBe(64);
    expect(tensors.address(whole, 22, 30)).toBe(1024 + 8);
    for (const [from, to] of [
      [0, 11],
      [9, 12],
      [10, 12],
      [25, 31],
      [30, 32],
      [0, 40],
      [5, 5],
    ]) {
      expect(tensors.address(whole, from, to), `${from} to ${to}`).toBe(-1);
    }
    expect([
      tensors.file(whole, 0, 10),
      tensors.file(whole, 20, 40),
      tensors.file(whole, 9, 11),
    ]).toEqual([null, null, 'b.seg']);
    expect([tensors.file(a, 0, 10), tensors.file(b, 0, 10)]).toEqual([null, 'b.seg']);
  });

  test('copy any range of any parts, however little a read gives', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            length: fc.integer({ min: 1, max: 9 }),
            lies: fc.constantFrom('memory', 'buffer', 'file'),
          }),
          {
            minLength: 1,
          },
        ),
        fc.nat(),
        fc.nat(),
        (parts, a, b) => {
          const memory = new WebAssembly.Memory({ initial: 1 });
          const tensors = tensorsOver(memory);
          const all: number[] = [];
          const made = parts.map(({ length, lies }, i): Tensor<'i8'> => {
            const tensor: Tensor<'i8'> = { id: i + 1, dtype: 'i8', length };
            const values = Int8Array.from({ length }, (_, j) => i + 5 + j);
            all.push(...values);
            if (lies === 'file')
              tensors.set(tensor.id, {
                kind: 'file',
                file: { descriptor: 0, offset: i + 5, name: '' },
              });
            else if (lies === 'buffer')
              tensors.set(tensor.id, { kind: 'buffer', buffer: values.buffer });
            else {
              new Int8Array(memory.buffer).set(values, i * 64);
              tensors.set(tensor.id, { kind: 'memory', address: i * 64 });
            }
            return tensor;
          });
          const whole: Tensor<'i8'> = { id: 999, dtype: 'i8', length: all.length };
          tensors.set(whole.id, joined(made));
          const [from, to] = [a % (all.length + 1), b % (all.length + 1)].sort((x, y) => x - y);
          const copy = new Int8Array(to - from);
          tensors.copy(whole, from, copy);
          expect([...copy]).toEqual(all.slice(from, to));
        },
      ),
    );
  });
});

test('what is uploaded as resident goes into the kernels’ memory whatever its size, while there is room', async () => {
  const told: Extract<ToWorker, { type: 'tensor' }>[] = [];
  const pool = {
    threads: 1,
    busy: false,
    broadcast: (message: ToWorker) => message.type === 'tensor' && told.push(message),
    onRestart: () => {},
  } as unknown as Pool;
  const length = 150 * 2 ** 20;
  const data = new Int8Array(new SharedArrayBuffer(length));
  data[length - 1] = 9;
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 4096, shared: true });
  const store = new TensorStore(pool, new MemoryHeap(pool, memory), memory);
  const [plain, resident] = [
    await store.upload('i8', data),
    await store.upload('i8', data, { resident: true }),
  ];
  // 256 MiB hold no second one
  const outside = await store.upload('i8', data, { resident: true });
  expect(told.map(({ location }) => location.kind)).toEqual(['buffer', 'memory', 'buffer']);
  for (const tensor of [plain, resident, outside])
    expect([...(await store.read(tensor, length - 2))]).toEqual([0, 9]);
});
