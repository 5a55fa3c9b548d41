// Documents and queries made of real token vectors for bench/scale.mjs: runs of consecutive tokens
// of two places of a pool, a little of a random direction added to each, brought back to length 1.
// Document n depends on the seed and n alone.
import { existsSync } from 'node:fs';
import { openVectors, randomOf } from './collection.mjs';

/** Rows that documents are made of at most. */
const POOL_ROWS = 65_536;
/** Length of the random direction that is added to a document's and a query's tokens. */
const NOISE = { document: 0.3, query: 0.4 };
const NOISE_VALUES = 1 << 20;
const DEMO = '.lemur-demo/scifact-1000';

/** The tokens of documents from all over a folder; unit vectors at random where there is none. */
export function openPool(folder = existsSync(DEMO) ? DEMO : null) {
  if (folder === null) {
    const dim = 128;
    const random = randomOf(5);
    const rows = Float32Array.from(
      { length: 8192 * dim },
      () => random() + random() + random() - 1.5,
    );
    for (let row = 0; row < 8192; row++) toLength1(rows.subarray(row * dim, (row + 1) * dim));
    return { rows, dim, from: 'random unit vectors' };
  }
  const { documents } = openVectors(folder);
  const { dim, size } = documents;
  const rows = new Float32Array(POOL_ROWS * dim);
  let filled = 0;
  // every so many documents; coprime steps come to all of them
  const step = size % 7919 === 0 ? 7907 : 7919;
  for (let i = 0, at = 0; i < size && filled < rows.length; i++, at = (at + step) % size) {
    const vectors = documents.vectors(at);
    const some = Math.min(vectors.length, rows.length - filled);
    rows.set(vectors.subarray(0, some), filled);
    filled += some;
  }
  documents.close();
  return { rows: rows.subarray(0, filled), dim, from: folder };
}

/** A pool in `dim` dimensions by a random projection; itself where these are its own. */
export function projected(pool, dim) {
  if (dim === pool.dim) return pool;
  const random = randomOf(11);
  const matrix = Float32Array.from({ length: dim * pool.dim }, () => random() + random() - 1);
  const size = pool.rows.length / pool.dim;
  const rows = new Float32Array(size * dim);
  for (let row = 0; row < size; row++) {
    const from = pool.rows.subarray(row * pool.dim, (row + 1) * pool.dim);
    for (let i = 0; i < dim; i++) {
      let sum = 0;
      for (let j = 0; j < pool.dim; j++) sum += matrix[i * pool.dim + j] * from[j];
      rows[row * dim + i] = sum;
    }
    toLength1(rows.subarray(row * dim, (row + 1) * dim));
  }
  return { ...pool, rows, dim };
}

/** What makes token matrices, `{ data, dims }`. */
export function synthesizer({ rows, dim }, seed) {
  const random = randomOf(seed);
  const noise = Float32Array.from(
    { length: NOISE_VALUES },
    () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
  const poolRows = rows.length / dim;
  const make = (tokens, places, size, own) => {
    const data = new Float32Array(tokens * dim);
    const run = Math.ceil(tokens / places);
    const scale = size / Math.sqrt(dim);
    let from = 0;
    for (let token = 0; token < tokens; token++) {
      if (token % run === 0) from = Math.floor(own() * (poolRows - run));
      const base = (from + (token % run)) * dim;
      const at = token * dim;
      const other = Math.floor(own() * (NOISE_VALUES - dim));
      for (let j = 0; j < dim; j++) data[at + j] = rows[base + j] + scale * noise[other + j];
      toLength1(data.subarray(at, at + dim));
    }
    return { data, dims: [tokens, dim] };
  };
  return {
    document: (n, tokens) =>
      make(tokens, 2, NOISE.document, randomOf(Math.imul(n + 1, 0x9e3779b1) ^ seed)),
    /** 16 to 32 tokens. */
    query(n) {
      const own = randomOf(Math.imul(n + 1, 0x85ebca6b) ^ ~seed);
      return make(16 + Math.floor(17 * own()), 1, NOISE.query, own);
    },
  };
}

function toLength1(row) {
  let squares = 0;
  for (let j = 0; j < row.length; j++) squares += row[j] * row[j];
  const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
  for (let j = 0; j < row.length; j++) row[j] *= scale;
}
