import { isLemurError } from '../../../errors.js';
import type { Kernels } from '../../../kernels/kernels.js';
import { createMemory, type KernelMemory, PAGE, receiveMemory } from '../../../kernels/memory.js';
import { plainKernels } from '../../../kernels/plain/plain.js';
import { simdKernels } from '../../../kernels/simd.js';
import { awaitStep, type Board, countBlock, drawBlock, stopJob } from '../board.js';
import type { CpuArray } from '../cpu-tensor.js';
import { operations } from '../operations/all-operations.js';
import type { Operation } from '../operations/operation.js';
import type { FromWorker, JobStep, ToWorker } from '../protocol.js';
import type { ScratchArea } from '../scratch-area.js';
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
    { memory, module, relaxed, guardScratch }: Message<'start'>,
  ) {
    this.#post = post;
    this.#memory = memory ? receiveMemory(memory) : createMemory(false);
    const kernels: Kernels = module
      ? simdKernels(module, this.#memory, relaxed)
      : plainKernels(this.#memory);
    this.#tensors = createWorkerTensors(() => this.#memory, files);
    this.#scratch = new Scratch(() => this.#memory, guardScratch);
    this.#context = new BlockContext(kernels, this.#memory, this.#tensors, this.#scratch, files);
    post({ type: 'started' });
  }

  receive(message: ToWorker): void {
    if (message.type === 'tensor') this.#keep(message);
    else if (message.type === 'free') this.#tensors.delete(message.id);
    else if (message.type === 'read') this.#read(message);
    else if (message.type === 'write') this.#write(message);
    else if (message.type === 'news') this.#hear(message);
    else if (message.type === 'block') this.#runOne(message);
    else if (message.type === 'run') this.#run(message);
  }

  #hear({ news, next }: Message<'news'>): void {
    const { made, freed, others } = news;
    for (let i = 0; i < made.length; i += 2)
      this.#tensors.set(made[i], { kind: 'memory', address: made[i + 1] });
    for (const message of others) this.receive(message);
    for (const id of freed) this.#tensors.delete(id);
    if (next) this.receive(next);
  }

  #keep({ tensor, location, top, zero }: Message<'tensor'>): void {
    this.#grow(top);
    this.#tensors.set(tensor.id, location);
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

  #run({ job, steps, scratch, top, board }: Message<'run'>): void {
    try {
      this.#grow(top);
      let complete = false;
      for (const [i, step] of steps.entries()) {
        if (i > 0 && !awaitStep(board, i - 1, steps[i - 1].blocks)) break;
        complete = this.#runBlocks(step, i, scratch, board) && i === steps.length - 1;
      }
      this.#post({ type: 'done', job, complete });
    } catch (error) {
      // the rest would be work for nothing
      stopJob(board);
      this.#fail(job, error);
    }
  }

  /** Blocks whose numbers the board gives. Returns whether one of them was the last to be done. */
  #runBlocks(step: JobStep, index: number, scratch: ScratchArea, board: Board): boolean {
    const { blocks } = step;
    let last = false;
    for (;;) {
      const block = drawBlock(board, index, blocks);
      if (block < 0) return last;
      this.#runBlock(step, block, scratch);
      last = countBlock(board, index, blocks);
    }
  }

  #runOne({ job, step, block, scratch, top }: Message<'block'>): void {
    try {
      this.#grow(top);
      this.#runBlock(step, block, scratch);
      this.#post({ type: 'done', job, complete: true });
    } catch (error) {
      this.#fail(job, error);
    }
  }

  #runBlock({ operation: name, args }: JobStep, block: number, scratch: ScratchArea): void {
    const operation = operations[name as keyof typeof operations] as Operation<unknown>;
    this.#scratch.begin(name, scratch);
    operation.run(this.#context, args, block);
    this.#scratch.end();
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
