import type { Kernels } from '../../kernels/kernels.js';
import { plainKernels } from '../../kernels/plain.js';
import { simdKernels } from '../../kernels/simd.js';
import type { DType, Tensor, TypedArray, TypedArrayOf } from '../device.js';
import type { Context, Operation } from './operation.js';
import { operations } from './operations.js';
import type { FromWorker, ToWorker } from './protocol.js';

const PAGE = 65536;
export const MAXIMUM_PAGES = 65536;

/** A view of `length` values at byte `at` of a buffer. */
export function typedView<D extends DType>(dtype: D, buffer: ArrayBufferLike, at: number, length: number): TypedArrayOf<D> {
  const views = { f32: Float32Array, f64: Float64Array, i32: Int32Array, i16: Int16Array, i8: Int8Array };
  return new views[dtype](buffer as ArrayBuffer, at, length) as TypedArrayOf<D>;
}

export function elementBytes(dtype: DType): number {
  return { f32: 4, f64: 8, i32: 4, i16: 2, i8: 1 }[dtype];
}

/** The worker's half of the device: keeps the tensors it is told of and runs blocks. Returns the handler for messages. */
export function createWorker(post: (message: FromWorker, transfer?: ArrayBufferLike[]) => void): (message: ToWorker) => void {
  const tensors = new Map<number, { address: number; buffer: ArrayBufferLike | null }>();
  let memory: WebAssembly.Memory;
  let kernels: Kernels;
  let scratchBase = 0;
  let scratchTop = 0;

  const grow = (top: number): void => {
    const missing = top - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
  };
  const view = <D extends DType>(tensor: Tensor<D>): TypedArrayOf<D> => {
    const place = tensors.get(tensor.id);
    if (!place) throw new Error(`tensor ${tensor.id} is not on this worker`);
    return typedView(tensor.dtype, place.buffer ?? memory.buffer, place.buffer ? 0 : place.address, tensor.length);
  };
  const context: Context = {
    get kernels() {
      return kernels;
    },
    view,
    address(tensor, from = 0) {
      const place = tensors.get(tensor.id);
      return !place || place.buffer ? -1 : place.address + from * elementBytes(tensor.dtype);
    },
    stage(tensor, from, to) {
      const resident = context.address(tensor, from);
      if (resident >= 0) return resident;
      const address = context.scratch((to - from) * elementBytes(tensor.dtype));
      context.at(tensor.dtype, address, to - from).set(view(tensor).subarray(from, to));
      return address;
    },
    scratch(bytes) {
      const address = scratchTop;
      scratchTop += Math.ceil(bytes / 64) * 64;
      return address;
    },
    at: (dtype, address, length) => typedView(dtype, memory.buffer, address, length),
    mark: () => scratchTop,
    rewind(mark) {
      scratchTop = mark;
    },
  };

  const run = (message: Extract<ToWorker, { type: 'run' }>): void => {
    grow(message.top);
    scratchBase = message.scratch;
    const operation = operations[message.operation as keyof typeof operations] as Operation<unknown>;
    const { counter } = message;
    for (
      let block = counter ? Atomics.add(counter, 0, 1) : message.from;
      block < message.to;
      block = counter ? Atomics.add(counter, 0, 1) : block + 1
    ) {
      scratchTop = scratchBase;
      operation.run(context, message.args, block);
    }
  };

  return (message) => {
    switch (message.type) {
      case 'start':
        memory = message.memory ?? new WebAssembly.Memory({ initial: 1, maximum: MAXIMUM_PAGES });
        kernels = message.module ? simdKernels(message.module, memory) : plainKernels(memory);
        post({ type: 'started' });
        break;
      case 'tensor':
        grow(message.top);
        tensors.set(message.tensor.id, { address: message.address, buffer: message.buffer });
        if (message.zero) view(message.tensor).fill(0);
        break;
      case 'free':
        tensors.delete(message.id);
        break;
      case 'read': {
        const data = view(message.tensor).slice(message.from, message.to);
        post({ type: 'data', request: message.request, data }, [data.buffer]);
        break;
      }
      case 'write':
        (view(message.tensor) as { set(data: TypedArray, at: number): void }).set(message.data, message.at);
        break;
      case 'run':
        try {
          run(message);
          post({ type: 'done', job: message.job });
        } catch (error) {
          const { message: text, stack } = error as Error;
          post({ type: 'failed', job: message.job, message: text, stack: stack ?? '' });
        }
        break;
    }
  };
}
