import { isLemurError } from '../../../errors.js';
import type { Kernels } from '../../../kernels/kernels.js';
import { createMemory, type KernelMemory, PAGE, receiveMemory } from '../../../kernels/memory.js';
import { plainKernels } from '../../../kernels/plain/plain.js';
import { simdKernels } from '../../../kernels/simd.js';
import type { CpuArray } from '../cpu-tensor.js';
import { operations } from '../operations/all-operations.js';
import type { Context, Operation } from '../operations/operation.js';
import type { FromWorker, ToWorker } from '../protocol.js';
import { elementBytes, typedView } from '../typed-view.js';
import { createWorkerTensors, type WorkerFiles } from './worker-tensors.js';

/**
 * The worker's half of the device: keeps the tensors it is told of and runs blocks. Returns the
 * handler for messages. Without `files` it is given no tensor that lies in one.
 */
export function createWorker(
  post: (message: FromWorker, transfer?: ArrayBufferLike[]) => void,
  files?: WorkerFiles,
): (message: ToWorker) => void {
  let memory: KernelMemory;
  let kernels: Kernels;
  let scratchBase = 0;
  let scratchTop = 0;
  const tensors = createWorkerTensors(() => memory, files);

  const grow = (top: number): void => {
    const missing = top - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
  };
  const context: Context = {
    get kernels() {
      return kernels;
    },
    view: tensors.view,
    address: (tensor, from = 0, to = tensor.length) => tensors.address(tensor, from, to),
    stage(tensor, from, to) {
      const resident = tensors.address(tensor, from, to);
      if (resident >= 0) return resident;
      const address = context.scratch((to - from) * elementBytes(tensor.dtype));
      context.load(tensor, from, to, address);
      return address;
    },
    load: (tensor, from, to, address) =>
      tensors.copy(tensor, from, context.at(tensor.dtype, address, to - from)),
    file: tensors.file,
    crc32: (address, bytes) =>
      (files as WorkerFiles).crc32(new Uint8Array(memory.buffer, address, bytes)) | 0,
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
  const fail = (job: number, error: unknown): void => {
    const { message, stack = '' } = error as Error;
    const damaged = isLemurError(error, 'bad-file');
    post({
      type: 'failed',
      job,
      message,
      stack,
      code: damaged ? error.code : null,
      where: damaged ? error.fields.where : '',
    });
  };

  const run = (message: Extract<ToWorker, { type: 'run' }>): void => {
    grow(message.top);
    scratchBase = message.scratch;
    const operation = operations[
      message.operation as keyof typeof operations
    ] as Operation<unknown>;
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
        memory = message.memory ? receiveMemory(message.memory) : createMemory(false);
        kernels = message.module ? simdKernels(message.module, memory) : plainKernels(memory);
        post({ type: 'started' });
        break;
      case 'tensor':
        grow(message.top);
        tensors.set(message.tensor, message.location);
        if (message.zero) tensors.view(message.tensor).fill(0);
        break;
      case 'free':
        tensors.delete(message.id);
        break;
      case 'read': {
        const { request, tensor, from, to } = message;
        const data = typedView(
          tensor.dtype,
          new ArrayBuffer((to - from) * elementBytes(tensor.dtype)),
          0,
          to - from,
        );
        try {
          tensors.copy(tensor, from, data);
          post({ type: 'data', request, data }, [data.buffer]);
        } catch (error) {
          if (!isLemurError(error)) throw error;
          fail(request, error);
        }
        break;
      }
      case 'write':
        (tensors.view(message.tensor) as { set(data: CpuArray, at: number): void }).set(
          message.data,
          message.at,
        );
        break;
      case 'run':
        try {
          run(message);
          post({ type: 'done', job: message.job });
        } catch (error) {
          // the rest would be work for nothing
          if (message.counter) Atomics.store(message.counter, 0, message.to);
          fail(message.job, error);
        }
        break;
    }
  };
}
