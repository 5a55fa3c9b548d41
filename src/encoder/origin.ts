import type { Checkpoint } from './checkpoint/checkpoint.js';
import type { KindSettings } from './checkpoint/settings.js';
import type { CheckpointFile } from './files/checkpoint-files.js';
import type { ModelReference } from './files/model-reference.js';
import type { RecordedFiles } from './files/recorded-files.js';
import type { ProductPrecision } from './graph/graph-builder.js';
import type { EncoderPlatform } from './platform.js';
import type { Projection } from './runtime/body.js';

/** How texts of one kind are read, as far as a checkpoint says it. */
export interface TextReading {
  /** Token that stands before the text; empty: none. */
  readonly marker: string;
  /** What is put before the text; empty: nothing. */
  readonly prompt: string;
  /** Most tokens, all included; null: as many as the model takes. */
  readonly length: number | null;
  /** Tokens that shorter texts are filled up to; null: they are not. */
  readonly expansion: number | null;
}

/**
 * Where an encoder comes from: all that is needed to make it again, but for the projection's
 * values. It is JSON, and part of a collection's manifest.
 */
export interface EncoderOrigin {
  /** Where its files come from. */
  readonly model: ModelReference;
  /** SHA-256 of each file that was read, in hexadecimal digits, by its name. */
  readonly files: Readonly<Record<string, string>>;
  /** How products are computed. */
  readonly precision: ProductPrecision;
  /** Dimension of the model's token vectors, in front of the projection. */
  readonly hidden: number;
  /** SHA-256 of the projection, hidden x dim float32; null: there is none. */
  readonly projection: string | null;
  /** Tokens of a text that are read where a call says no number; null: as the model says. */
  readonly maxTokens: number | null;
  /** How questions are read; null: a body alone, whose texts are read as they are. */
  readonly query: TextReading | null;
  /** How documents are read; null: likewise. */
  readonly document: TextReading | null;
  /** Dimension that a collection gets once it has enough tokens to find a projection. */
  readonly narrowTo?: number | undefined;
}

/** That of a checkpoint's files; undefined where nobody finds these by a name. */
export async function originOf(
  platform: EncoderPlatform,
  { model, found }: RecordedFiles,
  { dim, settings }: Checkpoint,
  precision: ProductPrecision,
  projection: Projection | undefined,
): Promise<EncoderOrigin | undefined> {
  if (!model) return undefined;
  const files: Record<string, string> = {};
  for (const name of [...found.keys()].sort())
    files[name] = await platform.sha256OfFile(found.get(name) as CheckpointFile);
  return {
    model,
    files,
    precision,
    hidden: dim,
    projection: projection ? await platform.sha256(bytesOf(projection.matrix)) : null,
    maxTokens: null,
    query: settings ? readingOf(settings.query) : null,
    document: settings ? readingOf(settings.document) : null,
  };
}

function readingOf({ marker, prompt, length, expansion }: KindSettings): TextReading {
  return { marker, prompt, length: length ?? null, expansion: expansion?.to ?? null };
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
