import type { SearchDevice } from '../../device/device.js';
import type { Tensor } from '../../device/memory.js';

/** Bytes of rows that an open collection keeps in memory, where it is not told. */
export const CACHE_BYTES: number = 2 ** 28;

/** Rows of a file that is open. */
export interface StoredRows {
  /** Where they are; null: the device has none. */
  readonly tensor: Tensor | null;
  /** Values of a row. */
  readonly rowLength: number;
  /** What all of them take in memory, with a byte for each. */
  readonly bytes: number;
}

/** Which rows come first: full codes save a query the most for their bytes. */
const ORDER = ['codes', 'tokens'] as const;

/**
 * Lets the device keep rows of open files once they have been read and checked: those of whole
 * files, the first opened ones first, as far as the bytes go round.
 */
export class RowCache {
  readonly #device: SearchDevice;
  /** Bytes that nothing has. */
  #left: number;
  /** In their order, and the bytes that each may take. */
  readonly #rows: Record<(typeof ORDER)[number], Map<StoredRows, number>> = {
    codes: new Map(),
    tokens: new Map(),
  };

  constructor(device: SearchDevice, bytes: number) {
    this.#device = device;
    this.#left = bytes;
  }

  /** Of a file that was opened; `share` gives them room. */
  add(kind: (typeof ORDER)[number], rows: StoredRows): void {
    if (rows.tensor && rows.bytes > 0) this.#rows[kind].set(rows, 0);
  }

  /** Of a file that is being closed; `share` gives their room to others. */
  remove(rows: StoredRows): void {
    for (const kind of ORDER) {
      this.#left += this.#rows[kind].get(rows) ?? 0;
      this.#rows[kind].delete(rows);
    }
  }

  /** Gives room that is left to those that have none. */
  async share(): Promise<void> {
    for (const kind of ORDER) {
      for (const [rows, taken] of [...this.#rows[kind]])
        if (taken === 0) await this.#offer(this.#rows[kind], rows);
    }
  }

  async #offer(among: Map<StoredRows, number>, rows: StoredRows): Promise<void> {
    const { tensor, bytes, rowLength } = rows;
    // it may have been closed, or got its room, meanwhile
    if (!tensor || bytes > this.#left || among.get(rows) !== 0) return;
    this.#left -= bytes;
    among.set(rows, bytes);
    const has = await Promise.resolve(this.#device.cacheRows?.(tensor, rowLength)).catch(
      () => false,
    );
    if (has || among.get(rows) !== bytes) return;
    among.set(rows, 0);
    this.#left += bytes;
  }
}
