// Documents of which everything follows from an id and a version, so that any process can tell what
// an answer must be.
export const DIM = 16;
export const BATCHES = 120;
/** Documents of a batch, which come and go together. */
export const BATCH = 12;

export const idsOf = (batch) => Array.from({ length: BATCH }, (_, i) => `b${batch}-${i}`);

/** Token vectors of a document, 2 to 5 rows of DIM values. */
export function tokensOf(id, version) {
  let state = version >>> 0;
  for (const letter of id) state = Math.imul(state ^ letter.charCodeAt(0), 0x01000193) >>> 0;
  const random = randomOf(state);
  const rows = 2 + Math.floor(4 * random());
  return {
    data: Float32Array.from({ length: rows * DIM }, () => random() - 0.5),
    dims: [rows, DIM],
  };
}

/** A batch in one version: its texts name it. */
export const documentsOf = (batch, version) =>
  idsOf(batch).map((id) => ({
    id,
    text: `${id} ${version}`,
    tokens: tokensOf(id, version),
    metadata: { batch, version },
  }));

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

/** MaxSim by its formula. */
export function maxSimOf(query, document) {
  let sum = 0;
  for (let i = 0; i < query.length; i += DIM) {
    let best = -Infinity;
    for (let j = 0; j < document.length; j += DIM) {
      let product = 0;
      for (let c = 0; c < DIM; c++) product += query[i + c] * document[j + c];
      best = Math.max(best, product);
    }
    sum += best;
  }
  return sum;
}
