import { isLemurError } from '../../../errors.js';
import type { Kernels } from '../../../kernels/kernels.js';
import { createMemory, type KernelMemory, PAGE, receiveMemory } from '../../../kernels/memory.js';
import { plainKernels } from '../../../kernels/plain/plain.js';
import { simdKernels } from '../../../kernels/simd.js';
import type { CpuArray } from '../cpu-tensor.js';
import { operations } from '../operations/all-operations.js';
import type { Operation } from '../operations/operation.js';
import type { FromWorker, ToWorker } from '../protocol.js';
import { elementBytes, typedView } from '../typed-view.js';
import { BlockContext } from './block-context.js';
import { Scratch } from './scratch.js';
import { createWorkerTensors, type WorkerFiles, type WorkerTensors } from './worker-tensors.js';

type Post = (message: FromWorker, transfer?: ArrayBufferLike[]) => void;
type Message<T extends ToWorker['type']> = Extract<ToWorker, { type: T }>;

/**
 * The worker's half of the device: keeps the tensors it is told of and runs blocks. Returns the
 * handler for messages. Without `files` it is given no tensor that lies in one.
 */
export function createWorker(post: Post, files?: WorkerFiles): (message: ToWorker) => void {
  let worker: CpuWorker;
  return (message) => {
    if (message.type === 'start') worker = new CpuWorker(post, files, message);
    else worker.receive(message);
  };
}

class CpuWorker {
  readonly #post: Post;
  readonly #memory: KernelMemory;
  readonly #tensors: WorkerTensors;
  readonly #scratch: Scratch;
  readonly #context: BlockContext;

  constructor(
    post: Post,
    files: WorkerFiles | undefined,
    { memory, module, guardScratch }: Message<'start'>,
  ) {
    this.#post = post;
    this.#memory = memory ? receiveMemory(memory) : createMemory(false);
    const kernels: Kernels = module
      ? simdKernels(module, this.#memory)
      : plainKernels(this.#memory);
    this.#tensors = createWorkerTensors(() => this.#memory, files);
    this.#scratch = new Scratch(() => this.#memory, guardScratch);
    this.#context = new BlockContext(kernels, this.#memory, this.#tensors, this.#scratch, files);
    post({ type: 'started' });
  }

  receive(message: Exclude<ToWorker, { type: 'start' }>): void {
    if (message.type === 'tensor') this.#keep(message);
    else if (message.type === 'free') this.#tensors.delete(message.id);
    else if (message.type === 'read') this.#read(message);
    else if (message.type === 'write') this.#write(message);
    else this.#run(message);
  }

  #keep({ tensor, location, top, zero }: Message<'tensor'>): void {
    this.#grow(top);
    this.#tensors.set(tensor, location);
    if (zero) this.#tensors.view(tensor).fill(0);
  }

  #read({ request, tensor, from, to }: Message<'read'>): void {
    const room = new ArrayBuffer((to - from) * elementBytes(tensor.dtype));
    const data = typedView(tensor.dtype, room, 0, to - from);
    try {
      this.#tensors.copy(tensor, from, data);
      this.#post({ type: 'data', request, data }, [data.buffer]);
    } catch (error) {
      if (!isLemurError(error)) throw error;
      this.#fail(request, error);
    }
  }

  #write({ tensor, data, at }: Message<'write'>): void {
    const target = this.#tensors.view(tensor);
    (target as { set(data: CpuArray, at: number): void }).set(data, at);
  }

  #run(message: Message<'run'>): void {
    try {
      this.#runBlocks(message);
      this.#post({ type: 'done', job: message.job });
    } catch (error) {
      // the rest would be work for nothing
      if (message.counter) Atomics.store(message.counter, 0, message.to);
      this.#fail(message.job, error);
    }
  }

  /** Blocks `from` to `to`, or those whose numbers the counter gives. */
  #runBlocks({ operation: name, args, scratch, top, counter, from, to }: Message<'run'>): void {
    this.#grow(top);
    const operation = operations[name as keyof typeof operations] as Operation<unknown>;
    const next = (block: number): number => (counter ? Atomics.add(counter, 0, 1) : block);
    for (let block = next(from); block < to; block = next(block + 1)) {
      this.#scratch.begin(name, scratch);
      operation.run(this.#context, args, block);
      this.#scratch.end();
    }
  }

  #fail(job: number, error: unknown): void {
    const { message, stack = '' } = error as Error;
    const damaged = isLemurError(error, 'bad-file');
    this.#post({
      type: 'failed',
      job,
      message,
      stack,
      code: damaged ? error.code : null,
      where: damaged ? error.fields.where : '',
    });
  }

  #grow(top: number): void {
    const missing = top - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE));
  }
}
