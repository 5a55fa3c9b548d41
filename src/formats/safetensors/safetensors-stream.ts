import { ownBytes } from '../../bytes/typed-array.js';
import { LemurError } from '../../errors.js';
import { describeKind, showValue } from '../../value-kind.js';
import { layOut, type SafetensorsTensor } from './safetensors-header.js';

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
  const where = 'streamSafetensors';
  if (typeof sink !== 'function')
    throw new LemurError(
      'invalid-argument',
      `${where}: sink: expected a function that takes bytes, got ${describeKind(sink)}`,
      { where },
    );
  const { start, tensors: placed, size } = layOut(tensors, metadata, where);
  const order = [...placed.keys()];
  const invalid = (problem: string): LemurError =>
    new LemurError('invalid-argument', `${where}: ${problem}`, { where });
  /** The tensor that is being written, and how many of its bytes are still to come. */
  let current = -1;
  let missing = 0;
  let open = true;

  /** On to the next tensor that has bytes. */
  const advance = (): void => {
    while (missing === 0 && current < order.length) {
      current++;
      const next = placed.get(order[current]);
      missing = next ? next.end - next.begin : 0;
    }
  };
  const checkOpen = (): void => {
    if (!open)
      throw new LemurError('closed', `${where}: the file has been ended, or has failed`, { where });
  };
  const send = async (bytes: Uint8Array): Promise<void> => {
    try {
      await sink(bytes);
    } catch (error) {
      open = false;
      throw error;
    }
  };

  await send(start);
  advance();
  return {
    size,
    order,
    async write(name, chunk) {
      checkOpen();
      const bytes = ownBytes(chunk, `${where}: ${showValue(name)}`);
      if (bytes.length === 0) return;
      if (name !== order[current])
        throw invalid(`got values of ${showValue(name)}, expected ${order[current] ?? 'no more'}`);
      if (bytes.length > missing)
        throw invalid(
          `got ${bytes.length} bytes of ${name}, expected at most the ${missing} that are missing`,
        );
      missing -= bytes.length;
      advance();
      await send(bytes);
    },
    async end() {
      checkOpen();
      if (current < order.length)
        throw invalid(`${order[current]} is not complete: expected ${missing} bytes more`);
      open = false;
    },
  };
}
