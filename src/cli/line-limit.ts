import { type Readable, Transform, type TransformCallback } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** Keys that end a line or give it up: Enter, Ctrl-C, Ctrl-D, Ctrl-U. */
const ENDS = '\r\n\u0003\u0004\u0015';
const BACKSPACES = '\b\u007f';

/**
 * What is typed, without what goes beyond so many characters of a line: an editor of lines looks at
 * the whole line for each character, so that a megabyte that was pasted would hold it for hours.
 */
export class LineLimit extends Transform {
  readonly #most: number;
  readonly #terminal: Readable & { setRawMode?: (raw: boolean) => unknown };
  readonly #decoder = new StringDecoder('utf8');
  #length = 0;

  constructor(input: Readable, most: number) {
    super();
    this.#most = most;
    this.#terminal = input;
    input.pipe(this);
  }

  /** The terminal's own, which the editor of lines asks for. */
  setRawMode(raw: boolean): this {
    this.#terminal.setRawMode?.(raw);
    return this;
  }

  override _transform(chunk: Buffer | string, _encoding: string, done: TransformCallback): void {
    let kept = '';
    for (const character of typeof chunk === 'string' ? chunk : this.#decoder.write(chunk)) {
      if (ENDS.includes(character)) this.#length = 0;
      else if (BACKSPACES.includes(character)) this.#length = Math.max(0, this.#length - 1);
      else if (++this.#length > this.#most) continue;
      kept += character;
    }
    done(null, kept);
  }

  /** Reads no more: the terminal keeps no process alive then. */
  release(): void {
    this.#terminal.unpipe(this);
    this.#terminal.pause();
    this.destroy();
  }
}
