import type { Kernels } from '../../../kernels/kernels.js';
import type { KernelMemory } from '../../../kernels/memory.js';
import type { CpuArrayOf, CpuDType, CpuTensor } from '../cpu-tensor.js';
import type { Context } from '../operations/operation.js';
import { elementBytes, typedView } from '../typed-view.js';
import type { Scratch } from './scratch.js';
import type { WorkerFiles, WorkerTensors } from './worker-tensors.js';

/** What blocks see on this worker. */
export class BlockContext implements Context {
  readonly kernels: Kernels;
  readonly #memory: Pick<KernelMemory, 'buffer'>;
  readonly #tensors: WorkerTensors;
  readonly #scratch: Scratch;
  readonly #files: WorkerFiles | undefined;

  constructor(
    kernels: Kernels,
    memory: Pick<KernelMemory, 'buffer'>,
    tensors: WorkerTensors,
    scratch: Scratch,
    files: WorkerFiles | undefined,
  ) {
    this.kernels = kernels;
    this.#memory = memory;
    this.#tensors = tensors;
    this.#scratch = scratch;
    this.#files = files;
  }

  view<D extends CpuDType>(tensor: CpuTensor<D>): CpuArrayOf<D> {
    return this.#tensors.view(tensor);
  }

  address(tensor: CpuTensor, from = 0, to: number = tensor.length): number {
    return this.#tensors.address(tensor, from, to);
  }

  stage(tensor: CpuTensor, from: number, to: number): number {
    const resident = this.#tensors.address(tensor, from, to);
    if (resident >= 0) return resident;
    const address = this.scratch((to - from) * elementBytes(tensor.dtype));
    this.load(tensor, from, to, address);
    return address;
  }

  load(tensor: CpuTensor, from: number, to: number, address: number): void {
    this.#tensors.copy(tensor, from, this.at(tensor.dtype, address, to - from));
  }

  file(tensor: CpuTensor, from: number, to: number): string | null {
    return this.#tensors.file(tensor, from, to);
  }

  cache(tensor: CpuTensor, from: number, to: number, address: number): void {
    this.#tensors.cache(tensor, from, to, address);
  }

  crc32(address: number, bytes: number): number {
    const files = this.#files as WorkerFiles;
    return files.crc32(new Uint8Array(this.#memory.buffer, address, bytes)) | 0;
  }

  scratch(bytes: number): number {
    return this.#scratch.take(bytes);
  }

  at<D extends CpuDType>(dtype: D, address: number, length: number): CpuArrayOf<D> {
    return typedView(dtype, this.#memory.buffer, address, length);
  }

  mark(): number {
    return this.#scratch.mark();
  }

  rewind(mark: number): void {
    this.#scratch.rewind(mark);
  }
}
