import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeSafetensors } from '../../src/formats/safetensors/safetensors.js';
import { smallBert } from './small-bert.js';

/** A tokenizer of few words, with ColBERT's markers; `ids` has the number of each token. */
export const ids: Readonly<Record<string, number>> = Object.fromEntries(
  [
    '[PAD]',
    '[UNK]',
    '[CLS]',
    '[SEP]',
    '[MASK]',
    '[unused0]',
    '[unused1]',
    '[Q] ',
    '[D] ',
    '.',
    ',',
    '!',
    'red',
    'green',
    'owl',
    'bee',
    '##s',
    'fly',
    'a',
    'q',
    ':',
  ].map((token, id) => [token, id]),
);

const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];

export const tokenizerJson = {
  version: '1.0',
  truncation: { max_length: 5, strategy: 'LongestFirst', stride: 0, direction: 'Right' },
  padding: null,
  added_tokens: [...special, '[Q] ', '[D] '].map((content) => ({
    id: ids[content],
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: special.includes(content),
  })),
  normalizer: {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: '[CLS]', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '[SEP]', type_id: 0 } },
    ],
    pair: [
      { SpecialToken: { id: '[CLS]', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '[SEP]', type_id: 0 } },
    ],
    special_tokens: {
      '[CLS]': { id: '[CLS]', ids: [ids['[CLS]']], tokens: ['[CLS]'] },
      '[SEP]': { id: '[SEP]', ids: [ids['[SEP]']], tokens: ['[SEP]'] },
    },
  },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(
      Object.entries(ids).filter(([token]) => token !== '[Q] ' && token !== '[D] '),
    ),
  },
};

/** Deterministic values between -0.5 and 0.5. */
export function values(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647 - 0.5;
  });
}

/** The files of a Dense module, in a folder of that path. */
export function denseModule(
  path: string,
  inputs: number,
  outputs: number,
  {
    bias = false,
    activation = 'torch.nn.modules.linear.Identity',
  }: { bias?: boolean; activation?: string } = {},
): { files: Record<string, unknown>; weight: Float32Array; bias: Float32Array | undefined } {
  const weight = values(inputs * outputs, inputs + outputs);
  const shift = bias ? values(outputs, 3) : undefined;
  const tensors = {
    'linear.weight': { shape: [outputs, inputs], data: weight },
    ...(shift ? { 'linear.bias': { shape: [outputs], data: shift } } : {}),
  };
  const config = {
    in_features: inputs,
    out_features: outputs,
    bias,
    activation_function: activation,
  };
  return {
    files: {
      [`${path}/config.json`]: config,
      [`${path}/model.safetensors`]: writeSafetensors(tensors),
    },
    weight,
    bias: shift,
  };
}

/** Writes files below a folder: bytes as they are, anything else as JSON. */
export async function writeFiles(folder: string, files: Record<string, unknown>): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content instanceof Uint8Array ? content : JSON.stringify(content));
  }
  return folder;
}

/** Files of a small BERT with a layer to 6 dimensions, as PyLate writes them. */
export function smallColbert(): Record<string, unknown> {
  const { json, file } = smallBert();
  return {
    'config.json': json,
    'tokenizer.json': tokenizerJson,
    'model.safetensors': file,
    'modules.json': [
      { type: 'sentence_transformers.models.Transformer', path: '' },
      { type: 'pylate.models.Dense.Dense', path: '1_Dense' },
    ],
    'config_sentence_transformers.json': { query_prefix: '[Q] ', document_prefix: '[D] ' },
    ...denseModule('1_Dense', 48, 6).files,
  };
}
