import { ownBytes } from '../../bytes/typed-array.js';
import { invalidArgument, LemurError } from '../../errors.js';
import { describeKind, showValue } from '../../value-kind.js';
import type { PlacedTensor, SafetensorsTensor } from './safetensors-header.js';
import { layOut } from './safetensors-layout.js';

const WHERE = 'streamSafetensors';

/** A safetensors file under way. */
export interface SafetensorsStream {
  /** Length of the whole file in bytes. */
  readonly size: number;
  /** Names of the tensors in the order in which they are to be written. */
  readonly order: readonly string[];
  /**
   * Hands on the next values of a tensor, any number of them. Rejects with 'invalid-argument' out
   * of order or beyond the tensor's end.
   */
  write(name: string, chunk: ArrayBufferView): Promise<void>;
  /** Rejects with 'invalid-argument' when a tensor is not complete. */
  end(): Promise<void>;
}

/**
 * Writes a safetensors file in parts, into `sink`, which gets the file's bytes in order and may
 * make the writer wait. The header follows from the declared types and shapes and goes out first.
 * The file is that of `writeSafetensors` to the byte; the order is that of `tensors`, except that
 * wider elements come first. Raises 'invalid-argument'; after a failure, and after `end`, calls
 * reject with 'closed'.
 */
export async function streamSafetensors(
  tensors: Readonly<Record<string, SafetensorsTensor>>,
  sink: (bytes: Uint8Array) => Promise<void> | void,
  metadata: Readonly<Record<string, string>> = {},
): Promise<SafetensorsStream> {
  if (typeof sink !== 'function')
    throw invalid(`sink: expected a function that takes bytes, got ${describeKind(sink)}`);
  const { start, tensors: placed, size } = layOut(tensors, metadata, WHERE);
  const file = new TensorsUnderWay(placed, sink);
  await file.send(start);
  return {
    size,
    order: file.order,
    write: (name, chunk) => file.write(name, chunk),
    end: () => file.end(),
  };
}

class TensorsUnderWay {
  readonly order: readonly string[];
  readonly #placed: ReadonlyMap<string, PlacedTensor>;
  readonly #sink: (bytes: Uint8Array) => Promise<void> | void;
  /** The tensor that is being written, and how many of its bytes are still to come. */
  #current = -1;
  #missing = 0;
  #isOpen = true;

  constructor(
    placed: ReadonlyMap<string, PlacedTensor>,
    sink: (bytes: Uint8Array) => Promise<void> | void,
  ) {
    this.order = [...placed.keys()];
    this.#placed = placed;
    this.#sink = sink;
    this.#advance();
  }

  async write(name: string, chunk: ArrayBufferView): Promise<void> {
    this.#checkOpen();
    const bytes = ownBytes(chunk, `${WHERE}: ${showValue(name)}`);
    if (bytes.length === 0) return;
    const expected = this.order[this.#current];
    if (name !== expected)
      throw invalid(`got values of ${showValue(name)}, expected ${expected ?? 'no more'}`);
    if (bytes.length > this.#missing) {
      const most = `at most the ${this.#missing} that are missing`;
      throw invalid(`got ${bytes.length} bytes of ${name}, expected ${most}`);
    }
    this.#missing -= bytes.length;
    this.#advance();
    await this.send(bytes);
  }

  async end(): Promise<void> {
    this.#checkOpen();
    const unfinished = this.order[this.#current];
    if (unfinished !== undefined)
      throw invalid(`${unfinished} is not complete: expected ${this.#missing} bytes more`);
    this.#isOpen = false;
  }

  async send(bytes: Uint8Array): Promise<void> {
    try {
      await this.#sink(bytes);
    } catch (error) {
      this.#isOpen = false;
      throw error;
    }
  }

  /** On to the next tensor that has bytes. */
  #advance(): void {
    while (this.#missing === 0 && this.#current < this.order.length) {
      this.#current++;
      const next = this.#placed.get(this.order[this.#current]);
      this.#missing = next ? next.end - next.begin : 0;
    }
  }

  #checkOpen(): void {
    if (this.#isOpen) return;
    const message = `${WHERE}: the file has been ended, or has failed`;
    throw new LemurError('closed', message, { where: WHERE });
  }
}

function invalid(problem: string): LemurError {
  return invalidArgument(WHERE, problem);
}
