import type { RunOptions } from '../run-options.js';
import type { Encoder } from './encoder.js';
import type { EncoderOrigin } from './origin.js';

/** How an encoder is made that a collection was made with. */
export interface RestoreOptions extends RunOptions {
  /** Where its model is, in place of where it was: a folder or an id of the hub. */
  model?: string | URL | undefined;
  threads?: number | undefined;
}

/** What a collection knows of its encoder. */
export interface KnownEncoder {
  readonly id: string;
  readonly dim: number;
  /** undefined in collections of earlier versions: what lies beside them may say it. */
  readonly origin?: EncoderOrigin | undefined;
  /** hidden x dim; undefined: there is none. */
  readonly projection?: Float32Array | undefined;
  /** The collection's folder, where it is one: what lies beside its files, and for messages. */
  readonly folder: string | undefined;
}

/** The encoders of an entry point, whose code comes when one is needed. */
export interface Encoders {
  /** The encoder of a folder or of an id of the hub, or the default one. Rejects as it does. */
  load(model: string | URL | undefined, options: Omit<RestoreOptions, 'model'>): Promise<Encoder>;
  /** Whether `restore` may find one, as far as can be told before anything is loaded. */
  knows(known: KnownEncoder): boolean;
  /**
   * The encoder that a collection was made with. Rejects with 'encoder-mismatch' for another one,
   * and with 'not-found', 'missing-package', 'offline' and the like where it is not to be had.
   */
  restore(known: KnownEncoder, options: RestoreOptions): Promise<Encoder>;
  /**
   * A caller's encoder for a collection's texts, for questions alone where it differs in its
   * precision. Raises 'encoder-mismatch', saying what else differs.
   */
  admit(where: string, made: Pick<Encoder, 'id' | 'origin'>, encoder: Encoder): Encoder;
  /** Keeps where a model's folder is on this machine, which no collection says. */
  remember(origin: EncoderOrigin): Promise<void>;
}

let current: Encoders | undefined;

export function provideEncoders(encoders: Encoders): void {
  current = encoders;
}

/** undefined where the entry point has none. */
export function providedEncoders(): Encoders | undefined {
  return current;
}
