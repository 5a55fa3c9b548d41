import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Lemur, writeNpy } from '../../dist/node.js';
import { numbers, randomTexts } from '../numbers.js';

const DIM = 128;
const HIDDEN = 16;
const documents = [2, 1, 3, 1];
const queries = [3];

/** Small options, for folders that are opened a hundred thousand times. */
const LEARN = { finalHiddenDim: 4, hiddenDim: 4, epochs: 1, batchSize: 8, learnSubsetSize: 7, olsSampleSize: 7, threads: 1 };

/** Writes a collection of four documents and a query as the demo leaves it. Its encoder is a folder with nothing but a config.json. */
export async function writeSmallCollection(folder: string): Promise<void> {
  const model = join(folder, 'model');
  await mkdir(model, { recursive: true });
  const write = (name: string, content: string | Uint8Array): Promise<void> => writeFile(join(folder, name), content);
  const writeTokens = async (prefix: string, seed: number, counts: number[]): Promise<void> => {
    const { vectors } = randomTexts(seed, counts, DIM);
    await write(`${prefix}tokens.npy`, writeNpy({ shape: [vectors.length / DIM, DIM], data: vectors }));
    await write(`${prefix}counts.npy`, writeNpy({ shape: [counts.length], data: Int32Array.from(counts) }));
    const pooled = numbers(seed).unitRows(counts.length, HIDDEN);
    await write(`${prefix}pooled.npy`, writeNpy({ shape: [counts.length, HIDDEN], data: pooled }));
  };
  await writeTokens('', 1, documents);
  await writeTokens('query-', 2, queries);
  await write('projection.npy', writeNpy({ shape: [HIDDEN, DIM], data: numbers(3).floats(HIDDEN * DIM) }));
  await write('documents.jsonl', lines(documents.map((_, i) => ({ _id: `d${i}`, title: i === 1 ? '' : 'Title', text: `Text ${i}.` }))));
  await write('queries.jsonl', lines(queries.map((_, i) => ({ _id: `q${i}`, text: `Question ${i}?` }))));
  await write('qrels.tsv', 'query-id\tcorpus-id\tscore\nq0\td1\t1\nq0\td9\t2\n');
  for (const [which, options] of [
    ['lemur', LEARN],
    ['random', { ...LEARN, epochs: 0 }],
  ] as const) {
    const lemur = await Lemur.fit(randomTexts(1, documents, DIM), options);
    await lemur.save(join(folder, which));
    lemur.close();
  }
  await write('model/config.json', JSON.stringify(bert));
  const info = {
    format: 'lemur-collection',
    version: 1,
    plan: { data: 'by hand', documents: documents.length, model: { folder: model }, maxTokens: 180 },
    encoder: { id: 'bert-0123456789abcdef', dim: DIM, hidden: HIDDEN },
    counts: { documents: documents.length, tokens: 7, queries: queries.length, queryTokens: 3 },
    stages: { texts: { seconds: 0.5, parts: {} }, fit: { seconds: 2.5, parts: { targets: 1, training: 1.5 } } },
  };
  await write('collection.json', JSON.stringify(info));
}

const bert = {
  model_type: 'bert',
  hidden_size: HIDDEN,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 8,
  hidden_act: 'gelu',
  layer_norm_eps: 1e-12,
  vocab_size: 5,
  max_position_embeddings: 200,
  type_vocab_size: 2,
};

function lines(values: readonly object[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}
