import type { DenseLayer } from './architectures/dense.js';
import type { Checkpoint } from './checkpoint/checkpoint.js';
import type { Layout } from './checkpoint/layout.js';
import type { EncoderPlatform } from './platform.js';

/** Prefix of an encoder's id, by its layout. */
const FAMILY: Readonly<Record<Layout, string>> = {
  bert: 'bert',
  pylate: 'colbert',
  'sentence-transformers': 'colbert',
  stanford: 'colbert',
  onnx: 'onnx',
};

/** An encoder's id: of everything that its vectors depend on, precision and runtime aside. */
export async function fingerprint(
  { sha256, sha256OfFile }: EncoderPlatform,
  { layout, settings, body }: Checkpoint,
  dense: readonly DenseLayer[],
  tokenizer: object,
  said: object | undefined,
): Promise<string> {
  const hashed = (part: Float32Array | string | undefined): Promise<string> | string | undefined =>
    typeof part === 'object' ? sha256(bytesOf(part)) : part;
  const layers = await Promise.all(
    dense.map(async ({ weight, bias, activation, residual }) => ({
      activation,
      weights: await Promise.all([weight, bias, residual].map(hashed)),
    })),
  );
  const files = body.kind === 'weights' ? body.weights.files : [body.file];
  const hashes: string[] = [];
  for (const file of files) hashes.push(await sha256OfFile(file));
  const text = JSON.stringify({
    weights: hashes.length === 1 ? hashes[0] : hashes,
    config: body.kind === 'weights' ? body.config : null,
    settings,
    layers,
    tokenizer,
    // what is undefined leaves the text, and so the ids of most, as they are
    said,
  });
  return `${FAMILY[layout]}-${(await sha256(text)).slice(0, 16)}`;
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
