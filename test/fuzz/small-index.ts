import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Index, type Storage, writeNpy } from '../../dist/entry/node.js';
import type { Encoder } from '../../dist/entry/node-encoder.js';
import { numbers, randomTexts } from '../numbers.js';

const DIM = 128;
const HIDDEN = 16;
const documents = [2, 1, 3, 1];

/** Small options, for files that are opened a hundred thousand times. */
const LEARN = { finalHiddenDim: 4, epochs: 0, learnSubsetSize: 7, olsSampleSize: 7 };

/**
 * Writes an index of four documents of 128 dimensions, one deleted, with a model. Its encoder is
 * never asked.
 */
export async function writeSmallIndex(at: string | Storage): Promise<void> {
  const never = (): never => {
    throw new Error('nothing is encoded here');
  };
  const encoder: Encoder = {
    id: 'bert-0123456789abcdef-180',
    dim: DIM,
    encodeQuery: never,
    encodeDocument: never,
    close: async () => {},
  };
  const index = await Index.create(at, { encoder, features: 'random', threads: 1 });
  const { vectors } = randomTexts(1, documents, DIM);
  const firsts = documents.map((_, i) =>
    documents.slice(0, i).reduce((sum, count) => sum + count, 0),
  );
  await index.add(
    documents.map((count, i) => ({
      id: `d${i}`,
      text: `Title Text ${i}.`,
      metadata: { title: 'Title', year: 1990 + i, tags: ['a', `b${i}`] },
      tokens: {
        data: vectors.slice(firsts[i] * DIM, (firsts[i] + count) * DIM),
        dims: [count, DIM],
      },
    })),
  );
  await index.delete('d2');
  await index.fit({ ...LEARN, learn: randomTexts(3, documents, DIM) });
  await index.close();
}

/**
 * The same in a folder as `lemur add` leaves it, with queries and judgements. Its encoder is a
 * folder with nothing but a config.json.
 */
export async function writeSmallFolder(folder: string): Promise<void> {
  await mkdir(join(folder, 'model'), { recursive: true });
  await writeSmallIndex(folder);
  const write = (name: string, content: string | Uint8Array): Promise<void> =>
    writeFile(join(folder, name), content);
  const projection = writeNpy({ shape: [HIDDEN, DIM], data: numbers(3).floats(HIDDEN * DIM) });
  const info = {
    ...{
      format: 'lemur-encoder',
      version: 1,
      model: { folder: join(folder, 'model') },
      maxTokens: 180,
      hidden: HIDDEN,
      dim: DIM,
    },
    projection: createHash('sha256').update(projection).digest('hex'),
  };
  await write('projection.npy', projection);
  await write('encoder.json', JSON.stringify(info));
  await write(
    'asked.npy',
    writeNpy({ shape: [1, 3, DIM], data: randomTexts(2, [3], DIM).vectors }),
  );
  await write('qrels.tsv', 'query-id\tcorpus-id\tscore\n0\td1\t1\n0\td9\t2\n');
  await write('model/config.json', JSON.stringify(bert));
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
