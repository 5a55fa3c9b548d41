import { memoryStorage, type Storage } from '../../dist/entry/node.js';
import { numbers } from '../numbers.js';

// Artefacts are made here, by the layout that txtai's sources show; no file of txtai itself was at
// hand.

export const DIM = 12;
export const LATENT = 20;
export const QUERY_SCALE = 32;

export type Activation = 'relu' | 'gelu' | 'silu' | 'mish';
export type Tensors = Record<string, { dtype?: string; shape: number[]; data: ArrayBufferView }>;
export interface Artefact {
  config: Record<string, unknown>;
  tensors: Tensors;
}

/**
 * A safetensors file as torch's writer lays it out: names in order, a header padded with spaces.
 */
export function safetensors(tensors: Tensors): Uint8Array {
  const header: Record<string, unknown> = {};
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const [name, { dtype = 'F32', shape, data }] of Object.entries(tensors).sort(([a], [b]) =>
    a < b ? -1 : 1,
  )) {
    header[name] = { dtype, shape, data_offsets: [at, at + data.byteLength] };
    parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    at += data.byteLength;
  }
  const text = JSON.stringify(header);
  const json = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...parts]);
}

export async function stored(
  { config, tensors }: Artefact,
  changed: Record<string, Uint8Array | string | null> = {},
): Promise<Storage> {
  const storage = memoryStorage('artefact');
  const files = {
    'config.json': JSON.stringify(config),
    'model.safetensors': safetensors(tensors),
    ...changed,
  };
  for (const [name, content] of Object.entries(files)) {
    if (content !== null)
      await storage.write(
        name,
        typeof content === 'string' ? new TextEncoder().encode(content) : content,
      );
  }
  return storage;
}

/** An artefact of random numbers. */
export function artefact(
  modeltype: 'mlp' | 'elm',
  layers: number,
  activation: Activation,
  center = false,
): Artefact {
  const random = numbers(17);
  const hidden = 16;
  const tensors: Tensors = {
    'lemur.mean': { shape: [1], data: Float32Array.of(0.4) },
    'lemur.std': { shape: [1], data: Float32Array.of(0.15) },
    'lemur.sample': { shape: [120, DIM], data: random.unitRows(120, DIM) },
  };
  if (center) tensors['lemur.center'] = { shape: [DIM], data: random.floats(DIM, 0.2) };
  if (modeltype === 'elm')
    tensors['featureextractor.0.weight'] = {
      shape: [DIM, LATENT],
      data: random.floats(DIM * LATENT, 1.7),
    };
  else {
    for (let i = 0, inputs = DIM; i < layers; i++) {
      const outputs = i === layers - 1 ? LATENT : hidden;
      tensors[`featureextractor.${3 * i}.weight`] = {
        shape: [outputs, inputs],
        data: random.floats(outputs * inputs, 0.5),
      };
      tensors[`featureextractor.${3 * i}.bias`] = {
        shape: [outputs],
        data: random.floats(outputs, 0.2),
      };
      tensors[`featureextractor.${3 * i + 1}.weight`] = {
        shape: [outputs],
        data: random.floats(outputs, 0.5).map((v) => v + 1),
      };
      tensors[`featureextractor.${3 * i + 1}.bias`] = {
        shape: [outputs],
        data: random.floats(outputs, 0.5),
      };
      inputs = outputs;
    }
  }
  const config: Record<string, unknown> = {
    activation,
    finalhiddendim: LATENT,
    hiddendim: hidden,
    inputdim: DIM,
    layers,
    modeltype,
  };
  Object.assign(config, { queryscale: QUERY_SCALE, seed: 42 });
  if (modeltype === 'mlp')
    config.training = {
      selectedepoch: 97,
      selectedloss: 0.25,
      selectionmetric: 'validationloss',
      validationsplit: 0.1,
    };
  return { config, tensors };
}
